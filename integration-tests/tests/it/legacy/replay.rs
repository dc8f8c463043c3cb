//! Replays the recording of the legacy server: every response is the recorded one, except for
//! the listed corrections and additions.

mod additions;
mod cases;
mod comparison;
mod corrections;
mod names;
mod preparation;
mod redaction;
mod variants;
mod world;

use reqwest::{Client, Method, header::CONTENT_TYPE, redirect::Policy};

use self::{
    additions::{Addition, Additions},
    cases::{Case, Content, Reply},
    corrections::Correction,
    world::Scene,
};

struct Replay {
    scene: Scene,
    additions: Additions,
    corrections: Vec<Correction>,
    http: Client,
    /// One line for each fault.
    faults: Vec<String>,
    equal: usize,
    corrected: usize,
}

#[tokio::test]
async fn of_the_legacy_server() -> anyhow::Result<()> {
    let cases = cases::all()?;
    let mut replay = Replay {
        scene: world::start().await?,
        additions: Additions::default(),
        corrections: corrections::all(),
        http: Client::builder()
            .redirect(Policy::none())
            // The gateway is restarted in between.
            .pool_max_idle_per_host(0)
            .build()?,
        faults: Vec::new(),
        equal: 0,
        corrected: 0,
    };
    for case in &cases {
        replay.case(case).await;
    }
    replay.all_is_needed(&cases);
    println!("{}", replay.summary(&cases));
    assert!(replay.faults.is_empty(), "{}", replay.faults.join("\n"));
    Ok(())
}

impl Replay {
    async fn case(&mut self, case: &Case) {
        let prepared = preparation::before(case.number(), &mut self.scene).await;
        if let Err(error) = prepared {
            self.fault(case, &[format!("could not be prepared: {error:#}")]);
        }
        match self.send(case).await {
            Ok(ours) => self.judge(case, &ours),
            Err(error) => self.fault(case, &[format!("no answer: {error:#}")]),
        }
    }

    async fn send(&self, case: &Case) -> anyhow::Result<Reply> {
        let request = &case.request;
        let path = self.scene.names.text(&request.path);
        let url = format!("http://{}{path}", self.scene.world.gateway.address());
        let mut builder = self
            .http
            .request(Method::from_bytes(request.method.as_bytes())?, url);
        for (key, value) in &request.headers {
            builder = builder.header(key, self.scene.names.text(value));
        }
        if let Some(body) = &request.body {
            builder = builder.json(&self.scene.names.value(body));
        }
        if let Some(body) = &request.raw_body {
            builder = builder.body(self.scene.names.text(body));
        }
        let answer = builder.send().await?;
        let status = answer.status().as_u16();
        let media = answer
            .headers()
            .get(CONTENT_TYPE)
            .map(|value| value.to_str().map(str::to_owned));
        let media = media.transpose()?.unwrap_or_default();
        let content = Content::read(&media, &answer.text().await?);
        Ok(Reply { status, content })
    }

    fn judge(&mut self, case: &Case, ours: &Reply) {
        let applicable: Vec<usize> = (0..self.corrections.len())
            .filter(|at| self.corrections[*at].cases.contains(&case.number()))
            .collect();
        for without in &applicable {
            let others: Vec<_> = applicable
                .iter()
                .filter(|at| *at != without)
                .copied()
                .collect();
            let (mut names, mut additions) = (self.scene.names.clone(), self.additions.clone());
            let expected = self.expected(case, &others);
            let differing =
                comparison::differences(expected.as_ref(), ours, &mut names, &mut additions);
            if differing.is_empty() {
                let name = self.corrections[*without].name;
                self.fault(case, &[format!("does not need the correction '{name}'")]);
            }
        }
        let expected = self.expected(case, &applicable);
        let differing = comparison::differences(
            expected.as_ref(),
            ours,
            &mut self.scene.names,
            &mut self.additions,
        );
        if !differing.is_empty() {
            self.fault(case, &differing);
        } else if applicable.is_empty() {
            self.equal += 1;
        } else {
            self.corrected += 1;
        }
    }

    /// The recorded answer with these corrections.
    fn expected(&self, case: &Case, corrections: &[usize]) -> Option<Reply> {
        let mut reply = case.reply();
        for at in corrections {
            (self.corrections[*at].corrected)(&mut reply);
        }
        reply
    }

    fn fault(&mut self, case: &Case, differences: &[String]) {
        self.faults
            .push(format!("{}\n    {}", case.name, differences.join("\n    ")));
    }

    /// An unneeded correction or addition is an error in the tables.
    fn all_is_needed(&mut self, cases: &[Case]) {
        for correction in &self.corrections {
            for number in correction.cases {
                if !cases.iter().any(|case| case.number() == *number) {
                    let name = correction.name;
                    self.faults
                        .push(format!("correction '{name}': there is no case {number}"));
                }
            }
        }
        for name in self.additions.missed() {
            self.faults
                .push(format!("addition '{name}': no answer has it"));
        }
    }

    fn summary(&self, cases: &[Case]) -> String {
        let mut lines = vec![format!(
            "{} recorded cases: {} equal, {} as corrected, {} at fault",
            cases.len(),
            self.equal,
            self.corrected,
            self.faults.len()
        )];
        lines.push("corrections:".to_owned());
        lines.extend(self.corrections.iter().map(
            |Correction {
                 name,
                 reason,
                 cases,
                 ..
             }| format!("  {name} ({}): {reason}", cases.join(", ")),
        ));
        lines.push("additions:".to_owned());
        let additions = additions::ALL.iter();
        lines.extend(additions.map(|Addition { name, reason, .. }| format!("  {name}: {reason}")));
        lines.join("\n")
    }
}
