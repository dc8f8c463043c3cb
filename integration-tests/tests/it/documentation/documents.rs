//! All documents: each command is run by a test or marked as not run, links resolve,
//! and commands of the operator's program exist.

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use compute_integration_tests::{
    Document,
    document::{Block, project},
    service::binaries,
};

/// All Rust sources of the project, by file name without `.rs`.
fn sources() -> anyhow::Result<Vec<(String, String)>> {
    fn below(folder: &Path, found: &mut Vec<(String, String)>) -> anyhow::Result<()> {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                below(&path, found)?;
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.file_stem().unwrap_or_default().to_string_lossy();
                found.push((name.into_owned(), fs::read_to_string(&path)?));
            }
        }
        Ok(())
    }
    let mut found = Vec::new();
    for folder in ["integration-tests", "services", "migrations", "proto"] {
        below(&project().join(folder), &mut found)?;
    }
    Ok(found)
}

/// `FILE::TEST`, `FILE.py::STEP` of the compose scenario, or the path of a script that
/// runs the block's commands.
fn exists(name: &str, block: &Block, sources: &[(String, String)]) -> bool {
    if name.contains('/') {
        let script = fs::read_to_string(project().join(name)).unwrap_or_default();
        let mut commands = block.text.lines().map(without_remark);
        return commands.all(|command| script.contains(command));
    }
    is_test(name, sources)
}

/// `FILE::TEST`.
fn is_test(name: &str, sources: &[(String, String)]) -> bool {
    let Some((file, test)) = name.split_once("::") else {
        return false;
    };
    if let Some(module) = file.strip_suffix(".py") {
        let scenario = project().join("integration-tests/compose/scenario.py");
        let steps = fs::read_to_string(scenario).unwrap_or_default();
        return steps.contains(&format!("    {module}.{test},\n"));
    }
    let has_it = |text: &str| {
        let definition = format!("fn {test}(");
        let above = text.split(&definition).next().unwrap_or_default();
        above.len() < text.len()
            && above
                .rsplit("\n\n")
                .next()
                .unwrap_or_default()
                .contains("test]")
    };
    sources
        .iter()
        .any(|(name, text)| name == file && has_it(text))
}

fn without_remark(line: &str) -> &str {
    line.split(" #").next().unwrap_or_default().trim()
}

#[test]
fn every_command_is_run_or_marked_as_not() -> anyhow::Result<()> {
    let sources = sources()?;
    let (mut wrong, mut marked) = (Vec::new(), 0);
    for document in Document::all()? {
        for block in document.blocks() {
            if !["sh", "bash", "shell", "console"].contains(&block.language.as_str()) {
                continue;
            }
            let unknown: Vec<_> = block
                .run_by()
                .filter(|name| !exists(name, &block, &sources))
                .collect();
            if block.run_by().next().is_none() && block.not_run().is_none() {
                let at = (&document.name, block.line);
                wrong.push(format!("{at:?}: say `run by:` or `not run:` before it"));
            } else if !unknown.is_empty() {
                let at = (&document.name, block.line);
                wrong.push(format!("{at:?}: there is no test {unknown:?}"));
            } else {
                marked += 1;
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(marked > 10, "only {marked} blocks were found");
    Ok(())
}

/// Each section of docs/security.md names tests that verify it.
#[test]
fn what_is_claimed_of_security_is_shown_by_tests() -> anyhow::Result<()> {
    let sources = sources()?;
    let claims = Document::open("docs/security.md")?.claims();
    assert!(claims.len() > 8, "only {} claims were found", claims.len());
    let mut wrong = Vec::new();
    for claim in claims {
        let at = format!("docs/security.md:{}: {}", claim.line, claim.heading);
        if claim.shown_by.is_empty() {
            wrong.push(format!("{at}: say `shown by:` below it"));
        }
        let unknown = claim
            .shown_by
            .iter()
            .filter(|name| !is_test(name, &sources));
        wrong.extend(unknown.map(|name| format!("{at}: there is no test {name}")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    Ok(())
}

#[test]
fn every_link_leads_to_a_file() -> anyhow::Result<()> {
    let (mut broken, mut followed) = (Vec::new(), 0);
    for document in Document::all()? {
        let here = project().join(&document.name);
        let here = here.parent().unwrap_or(&here);
        for (line, target) in document.links() {
            let path = target.split('#').next().unwrap_or_default();
            if target.contains("://") || target.starts_with("mailto:") || path.is_empty() {
                continue;
            }
            followed += 1;
            if !here.join(path).exists() {
                broken.push(format!("{}:{line}: {target}", document.name));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
    assert!(followed > 5, "only {followed} links were found");
    Ok(())
}

/// The path of a job from submit to sbatch is drawn with files that exist.
#[test]
fn the_path_of_a_job_names_files_that_exist() -> anyhow::Result<()> {
    let blocks = Document::open("docs/architecture.md")?.blocks_of("From submit to sbatch");
    let words = blocks
        .iter()
        .flat_map(|block| block.text.split_whitespace());
    let files: Vec<_> = words.filter(|word| word.contains('/')).collect();
    let is_missing = |file: &&&str| !project().join(file).is_file();
    let missing: Vec<_> = files.iter().filter(is_missing).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!((10..=18).contains(&files.len()), "{} files", files.len());
    Ok(())
}

/// Commands of the operator's command in `text`, each as its words.
fn operator_commands(text: &str) -> Vec<Vec<String>> {
    let text = text.replace("\\\n", " ");
    let mut commands = Vec::new();
    for line in text.lines().map(without_remark) {
        let words: Vec<_> = line.split_whitespace().collect();
        let named = |word: &&str| {
            *word == "cybergis-compute"
                || word.ends_with("/cybergis-compute") && !word.contains(':')
        };
        if let Some(at) = words.iter().position(named) {
            let rest = words.iter().skip(at + 1);
            let until = rest.take_while(|word| !["|", "&&", ";", ">"].contains(word));
            commands.push(until.map(|word| (*word).to_owned()).collect());
        }
    }
    commands
}

/// The output of `cybergis-compute WORDS --help`.
fn help(words: &[&str]) -> anyhow::Result<String> {
    let mut command = Command::new(binaries()?.join("cybergis-compute"));
    let output = command.args(words).arg("--help").output()?;
    anyhow::ensure!(output.status.success(), "there is no {words:?}");
    Ok(String::from_utf8(output.stdout)?)
}

/// Why the command would reject these words.
fn misunderstood(words: &[String]) -> anyhow::Result<Option<String>> {
    // Global options can be in any position.
    let mut plain: Vec<&str> = Vec::new();
    let mut all = words.iter().map(String::as_str);
    while let Some(word) = all.next() {
        match word {
            "--config" => drop(all.next()),
            "--json" => {}
            word => plain.push(word),
        }
    }
    let mut path: Vec<&str> = Vec::new();
    let mut said = help(&path)?;
    while said.contains("Commands:") {
        let Some(word) = plain.get(path.len()) else {
            return Ok(None);
        };
        let listed = said.split("Commands:").nth(1).unwrap_or_default();
        let mut listed = listed.split("\n\n").next().unwrap_or_default().lines();
        if !listed.any(|line| line.split_whitespace().next() == Some(word)) {
            return Ok(Some(format!("no command {path:?} {word}")));
        }
        path.push(word);
        said = help(&path)?;
    }
    let given = plain.iter().skip(path.len());
    for option in given.filter_map(|word| word.split('=').next().filter(|w| w.starts_with("--"))) {
        let known = said
            .split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
            .any(|word| word == option);
        if !known {
            return Ok(Some(format!("{path:?} has no {option}")));
        }
    }
    Ok(None)
}

#[test]
fn the_operators_command_understands_what_the_documents_say() -> anyhow::Result<()> {
    let mut said: BTreeMap<Vec<String>, String> = BTreeMap::new();
    for document in Document::all()? {
        let shell = document.blocks();
        let shell = shell.iter().filter(|block| block.language == "sh");
        let in_blocks = shell.map(|block| (block.line, block.text.clone()));
        for (line, text) in in_blocks.chain(document.code_words()) {
            for command in operator_commands(&text) {
                said.insert(command, format!("{}:{line}", document.name));
            }
        }
    }
    let mut wrong = Vec::new();
    for (command, at) in &said {
        if let Some(reason) = misunderstood(command)? {
            wrong.push(format!("{at}: {} ({reason})", command.join(" ")));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(said.len() > 10, "only {} commands were found", said.len());
    Ok(())
}

#[test]
fn what_is_wrong_is_found() -> anyhow::Result<()> {
    let text = "# One\n```sh\necho 1 # `x`\n```\n## Two\n<!-- run by: a::b, c::d -->\n  ```sh file=x\n  \
                two\n  ```\n<!-- not run: -->\n```sh\n```\n| a | b |\n|---|---|\n| `c` | [d](e.md) |\n";
    let document = Document::of_text("x.md", text);
    let [bare, marked, empty] = &document.blocks()[..] else {
        panic!("{:?}", document.blocks());
    };
    assert_eq!((bare.line, bare.section.as_str()), (2, "One"));
    assert_eq!((bare.mark.as_ref(), bare.not_run()), (None, None));
    assert_eq!(marked.run_by().collect::<Vec<_>>(), ["a::b", "c::d"]);
    assert_eq!((marked.file(), marked.text.as_str()), (Some("x"), "two\n"));
    assert_eq!((empty.not_run(), empty.run_by().count()), (None, 0));
    assert_eq!(document.rows("Two"), [["`c`", "[d](e.md)"]]);
    assert_eq!(document.links(), [(15, "e.md".to_owned())]);
    let claims = "# T\n## One\n<!-- shown by: a::b, c::d -->\ntext\n### In it\n## Two\n";
    let claims = Document::of_text("x.md", claims).claims();
    let [one, two] = &claims[..] else {
        panic!("{claims:?}");
    };
    assert_eq!(
        (one.heading.as_str(), &one.shown_by[..]),
        ("One", &["a::b".to_owned(), "c::d".to_owned()][..])
    );
    assert_eq!((two.line, two.shown_by.len()), (6, 0));
    assert!(!exists("documents::nothing", marked, &sources()?));
    assert!(!exists("documents::sources", marked, &sources()?));
    assert!(!exists("trouble.py::nothing", marked, &sources()?));
    assert!(exists("trouble.py::the_books_agree", marked, &sources()?));
    assert!(exists(
        "documents::what_is_wrong_is_found",
        marked,
        &sources()?
    ));
    for wrong in [
        "temple add x y",
        "template add x y --approved",
        "job show --sates x",
    ] {
        let [words] = &operator_commands(&format!("cybergis-compute {wrong}"))[..] else {
            panic!("{wrong}");
        };
        assert!(misunderstood(words)?.is_some(), "{wrong}");
    }
    Ok(())
}
