//! The language of stories: what does not fit is refused with its place and with what was expected.
//!
//! The page that documents it is compared with the tables that understand it.

use busbar_tests::machine::on_vm_thread;
use busbar_tests::story::{Story, groups, settings, words};

/// The sentences and keys that the page documents, by what stands in the first column of its tables.
#[test]
fn the_page_documents_every_sentence_and_no_other() {
    let page = std::fs::read_to_string(super::folder().join("README.md")).unwrap();
    let mut documented: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` |"))
        .map(|(first, _)| first)
        .collect();
    let mut known: Vec<&str> = groups().into_iter().flat_map(|(_, all)| all).map(|one| one.text).collect();
    known.extend(settings::KEYS.iter().map(|(key, _)| *key));
    known.extend(["title", "shows", "households", "second market"]);
    documented.sort_unstable();
    known.sort_unstable();
    assert_eq!(documented, known);
    let names = settings::RULES.iter().chain(words::INSTITUTIONS.iter());
    for name in names {
        assert!(page.contains(&format!("`{name}`")), "the page names `{name}`");
    }
}

#[test]
fn every_sentence_is_said_in_a_story() {
    let texts: Vec<String> = super::stories().into_iter().map(|(_, text)| text).collect();
    let unsaid: Vec<&str> = groups()
        .into_iter()
        .flat_map(|(_, all)| all)
        .map(|sentence| sentence.text)
        .filter(|text| !texts.iter().any(|story| busbar_tests::story::says(story, text)))
        .collect();
    assert!(unsaid.is_empty(), "no story says: {unsaid:#?}");
}

const HEAD: &str = "title: T\nshows: S\nhouseholds: A, B\n---\n";

#[test]
fn what_does_not_fit_is_refused_with_its_place() {
    let rows = [
        ("shows: S\nhouseholds: A\n---\n", "x: a story has a line `title: …`"),
        ("title: T\nhouseholds: A\n---\n", "x: a story says what it shows"),
        ("title: T\nshows: S\n---\n", "x: a story has a line `households: A, B`"),
        ("title: T\nshows: S\nretail: 0.9\n---\n", "x:3: expected `households: A, B` before terms"),
        (
            "title: T\nshows: S\nhouseholds: A\ncolour: red\n---\n",
            "x:4: unknown key `colour`; expected one of: slot length",
        ),
        (
            "title: T\nshows: S\nhouseholds: A\nretail: 0.90001\n---\n",
            "x:4: expected a price in yuan/kWh, not `0.90001`",
        ),
        ("title: T\nshows: S\nhouseholds: A\nmatching: magic\n---\n", "x:4: unknown rule `magic`"),
        ("title: T\nshows: S\nhouseholds: A\n", "x: a line `---` parts"),
        ("A sings", "x:5: after `A` found `sings`; expected `gives` or"),
        ("E buys 1 kWh at 0.5", "x:5: after `` found `E`; expected"),
        (
            "A buys 1 MWh at 0.5",
            "x:5: after `A buys` found `1`; expected an energy, like `10 kWh` or `500 Wh`",
        ),
        ("A buys 1.2345 kWh at 0.5", "x:5: after `A buys` found `1.2345`; expected an energy"),
        ("A buys 1 kWh at -0.5", "x:5: after `A buys 1 kWh at` found `-0.5`; expected a price in yuan/kWh"),
        (
            "A buys 1 kWh at 0.5 quickly",
            "x:5: after `A buys 1 kWh at 0.5` found `quickly`; expected the end of the line or `with`",
        ),
        ("A buys 1 kWh at", "x:5: after `A buys 1 kWh at` the line ends; expected a price"),
        ("at noon", "x:5: after `at` found `noon`; expected a moment"),
        ("at opening\nA buys 1 kWh at 0.5 with luck", "x:6: unknown option `luck`"),
        ("at opening\nat opening - 1 min", "x:6: that moment is over since 60 s"),
        ("at opening\nA buys 1 kWh at 0.5\nrefused: GateClosed", "x:7: the sentence before was not refused"),
        ("at opening\nA buys 99 kWh at 0.5", "x: the sentence before was refused: Markets(AboveCapacity"),
        (
            "at opening\nA buys 99 kWh at 0.5\nnothing is held",
            "x:7: the sentence before was refused: Markets(AboveCapacity",
        ),
        (
            "at opening\nA buys 99 kWh at 0.5\nrefused: GateClosed",
            "x:7: the refusal is Markets(AboveCapacity",
        ),
        ("at opening\nslot is Settled", "x:6: the slot is \"Open\", expected \"Settled\""),
        ("at opening\nA pays B 1 yuan for love", "x:6: unknown kind of payment `love`"),
        ("at opening\nA pays B 1 yuan for energy", "x:6: the chain has: nothing is paid"),
        ("at opening\nA gains 1 yuan", "x:6: since when?"),
        ("at opening\nA has 1 yuan free", "x:6: what it has free is 100 yuan, expected 1 yuan"),
        ("in market 2", "x:5: there is no such market"),
    ];
    on_vm_thread(|| {
        for (text, expected) in rows {
            let whole = if text.contains("title: ") || text.starts_with("shows") {
                text.to_owned()
            } else {
                format!("{HEAD}{text}")
            };
            let why = Story::read("x", &whole).and_then(|story| story.play("x").map(|_| ())).unwrap_err();
            assert!(why.starts_with(expected), "{text:?}\n got {why}\nwant {expected}");
        }
    });
}
