//! Every story of `tests/scenarios`, played on the real chain; and the language they are written in.
//!
//! `BUSBAR_STORY=name` plays the stories whose file names contain that.
#![allow(clippy::unwrap_used, reason = "tests")]

mod language;

use busbar_tests::machine::on_vm_thread;
use busbar_tests::story::Story;
use std::path::PathBuf;

/// Stories that the project promises.
const STORIES_MIN: usize = 25;

/// Where stories are.
fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scenarios")
}

/// Names and texts of all stories.
fn stories() -> Vec<(String, String)> {
    let files = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let texts = files.filter(|path| path.extension().is_some_and(|extension| extension == "txt"));
    let mut stories: Vec<(String, String)> = texts
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(&path).unwrap())
        })
        .collect();
    stories.sort();
    stories
}

#[test]
fn every_story_ends_as_it_says() {
    let wanted = std::env::var("BUSBAR_STORY").unwrap_or_default();
    let all = stories();
    assert!(all.len() >= STORIES_MIN, "{} stories", all.len());
    let mut wrong = Vec::new();
    let mut titles = std::collections::BTreeSet::new();
    for (file, text) in all.iter().filter(|(file, _)| file.contains(&wanted)) {
        let played = on_vm_thread(|| {
            let story = Story::read(file, text)?;
            Ok((story.title.clone(), story.play(file)?))
        });
        match played {
            Ok((title, played)) => {
                println!("{file}: {} blocks, {} slots settled", played.blocks, played.settled);
                assert!(titles.insert(title), "{file}: another story has this title");
            }
            Err::<_, String>(why) => wrong.push(why),
        }
    }
    assert!(wrong.is_empty(), "{} stories fail:\n{}", wrong.len(), wrong.join("\n"));
}
