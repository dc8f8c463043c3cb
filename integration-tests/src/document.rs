//! The project's documents, parsed for the tests: code blocks with their marks,
//! links, tables.
//!
//! A mark is an HTML comment on the line before a block. `<!-- run by: NAME -->` names
//! the test that runs it, `<!-- not run: REASON -->` the reason why none does. Below a heading
//! `<!-- shown by: NAME -->` names a test that verifies the section.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context as _;

/// A Markdown file of the project.
#[derive(Debug, Clone)]
pub struct Document {
    /// Its path in the project.
    pub name: String,
    text: String,
}

/// A code block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Line of its fence, from 1.
    pub line: usize,
    /// The last heading before it.
    pub section: String,
    /// First word after the fence: `sh`, `json`, …
    pub language: String,
    /// The other words: `file=main.sh`, …
    pub info: Vec<String>,
    /// The text of the comment on the line before it.
    pub mark: Option<String>,
    /// Its content.
    pub text: String,
}

/// A heading of the second level, with the tests that verify its section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Its line, from 1.
    pub line: usize,
    /// The heading.
    pub heading: String,
    /// The tests of the mark below it: `<!-- shown by: FILE::TEST, … -->`.
    pub shown_by: Vec<String>,
}

/// The top folder of the project.
pub fn project() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

impl Document {
    /// The document at `name`, a path in the project.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn open(name: &str) -> anyhow::Result<Self> {
        let text = fs::read_to_string(project().join(name)).with_context(|| name.to_owned())?;
        Ok(Self::of_text(name, &text))
    }

    /// A document with that text.
    pub fn of_text(name: &str, text: &str) -> Self {
        Self {
            name: name.to_owned(),
            text: text.to_owned(),
        }
    }

    /// All documents that git tracks or would add.
    ///
    /// # Errors
    /// If git fails, or one cannot be read.
    pub fn all() -> anyhow::Result<Vec<Self>> {
        let output = Command::new("git")
            .arg("-C")
            .arg(project())
            .args(["-c", "safe.directory=*", "ls-files"])
            .args(["--cached", "--others", "--exclude-standard", "--", "*.md"])
            .output()?;
        anyhow::ensure!(output.status.success(), "git ls-files failed");
        let listed = String::from_utf8(output.stdout)?;
        listed.lines().map(Self::open).collect()
    }

    /// Its code blocks, in order.
    pub fn blocks(&self) -> Vec<Block> {
        let mut blocks: Vec<Block> = Vec::new();
        let (mut open, mut section, mut before) = (None, String::new(), "");
        for (number, line) in (1..).zip(self.text.lines()) {
            let bare = line.trim();
            match (&mut open, bare.strip_prefix("```")) {
                (Some((indent, block)), None) => {
                    let indent: usize = *indent;
                    let rest = line.get(indent..).unwrap_or(bare);
                    let block: &mut Block = block;
                    block.text.push_str(rest);
                    block.text.push('\n');
                }
                (Some(_), Some(_)) => blocks.extend(open.take().map(|(_, block)| block)),
                (None, Some(info)) => {
                    let mut words = info.split_whitespace().map(str::to_owned);
                    let block = Block {
                        line: number,
                        section: section.clone(),
                        language: words.next().unwrap_or_default(),
                        info: words.collect(),
                        mark: comment(before).map(str::to_owned),
                        text: String::new(),
                    };
                    open = Some((line.len() - line.trim_start().len(), block));
                }
                (None, None) => {
                    if bare.starts_with('#') {
                        section = bare.trim_start_matches('#').trim().to_owned();
                    }
                }
            }
            before = bare;
        }
        blocks
    }

    /// The blocks of `section`.
    pub fn blocks_of(&self, section: &str) -> Vec<Block> {
        let mut blocks = self.blocks();
        blocks.retain(|block| block.section == section);
        blocks
    }

    /// The blocks whose mark says that `test` runs them.
    ///
    /// # Errors
    /// If there are none: the test would then verify nothing.
    pub fn blocks_run_by(&self, test: &str) -> anyhow::Result<Vec<Block>> {
        let blocks = self.blocks_marked(test);
        anyhow::ensure!(
            !blocks.is_empty(),
            "{} has no block run by {test}",
            self.name
        );
        Ok(blocks)
    }

    fn blocks_marked(&self, test: &str) -> Vec<Block> {
        let mut blocks = self.blocks();
        blocks.retain(|block| block.run_by().any(|name| name == test));
        blocks
    }

    /// Its headings of the second level, each with the tests that verify the section.
    pub fn claims(&self) -> Vec<Claim> {
        let mut claims: Vec<Claim> = Vec::new();
        for (line, text) in self.prose() {
            let marked = comment(text).and_then(|mark| mark.strip_prefix("shown by:"));
            if let Some(heading) = text.strip_prefix("## ") {
                claims.push(Claim {
                    line,
                    heading: heading.to_owned(),
                    shown_by: Vec::new(),
                });
            } else if let (Some(names), Some(claim)) = (marked, claims.last_mut()) {
                let names = names.split(',').map(|name| name.trim().to_owned());
                claim.shown_by.extend(names);
            }
        }
        claims
    }

    /// Its text outside of code blocks, line by line with their numbers from 1.
    pub fn prose(&self) -> Vec<(usize, &str)> {
        let mut in_block = false;
        let mut prose = Vec::new();
        for (number, line) in (1..).zip(self.text.lines()) {
            if line.trim_start().starts_with("```") {
                in_block = !in_block;
            } else if !in_block {
                prose.push((number, line));
            }
        }
        prose
    }

    /// The targets of its links, with their lines.
    pub fn links(&self) -> Vec<(usize, String)> {
        let of_line = |(number, line): (usize, &str)| {
            let targets = line.split("](").skip(1);
            let targets = targets.filter_map(|rest| Some(rest.split_once(')')?.0.to_owned()));
            targets.map(|target| (number, target)).collect::<Vec<_>>()
        };
        self.prose().into_iter().flat_map(of_line).collect()
    }

    /// Text in backticks outside of code blocks, with its line.
    pub fn code_words(&self) -> Vec<(usize, String)> {
        let of_line = |(number, line): (usize, &str)| {
            let words = line.split('`').skip(1).step_by(2);
            words
                .map(|word| (number, word.to_owned()))
                .collect::<Vec<_>>()
        };
        self.prose().into_iter().flat_map(of_line).collect()
    }

    /// Rows of the tables below the heading `section`, each as its cells, without
    /// the head.
    pub fn rows(&self, section: &str) -> Vec<Vec<String>> {
        let mut rows: Vec<Vec<String>> = Vec::new();
        let mut here = false;
        for (_, line) in self.prose() {
            if line.starts_with('#') {
                here = line.trim_start_matches('#').trim() == section;
            } else if here && line.starts_with("|--") {
                rows.pop();
            } else if here && let Some(row) = line.strip_prefix('|') {
                let row = row.trim_end().trim_end_matches('|');
                rows.push(row.split('|').map(|cell| cell.trim().to_owned()).collect());
            }
        }
        rows
    }
}

impl Block {
    /// The file whose content it is: `file=NAME` after the fence.
    pub fn file(&self) -> Option<&str> {
        self.info.iter().find_map(|word| word.strip_prefix("file="))
    }

    /// The tests that run it.
    pub fn run_by(&self) -> impl Iterator<Item = &str> {
        let names = self.mark.as_deref().and_then(|m| m.strip_prefix("run by:"));
        names.into_iter().flat_map(|n| n.split(',').map(str::trim))
    }

    /// Why no test runs it.
    pub fn not_run(&self) -> Option<&str> {
        let reason = self.mark.as_deref()?.strip_prefix("not run:")?.trim();
        Some(reason).filter(|reason| !reason.is_empty())
    }
}

/// The blocks of all documents that `test` runs, with words replaced by those of a
/// scenario.
///
/// # Errors
/// If there are none: the test would then verify nothing.
pub fn typed_by(test: &str, words: &[(&str, &str)]) -> anyhow::Result<Vec<Block>> {
    let mut blocks = Vec::new();
    for document in Document::all()? {
        blocks.extend(document.blocks_marked(test));
    }
    anyhow::ensure!(!blocks.is_empty(), "no document has a block run by {test}");
    for block in &mut blocks {
        for (word, own) in words {
            block.text = block.text.replace(word, own);
        }
    }
    Ok(blocks)
}

fn comment(line: &str) -> Option<&str> {
    let inner = line.strip_prefix("<!--")?.strip_suffix("-->")?;
    Some(inner.trim())
}
