//! The list of deviations from the contracts pallet names tests that exist.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test that reads the sources")]

use std::fs;
use std::path::Path;

#[test]
fn every_deviation_has_its_test() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let list = fs::read_to_string(here.join("src/modules/contracts/DEVIATIONS.md")).unwrap();
    let mut sources = String::new();
    for tests in [here.join("tests"), here.join("../vm/tests")] {
        for file in fs::read_dir(tests).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "rs") {
                sources.push_str(&fs::read_to_string(path).unwrap());
            }
        }
    }
    // Rows end with the test's name between back quotes.
    let rows = list.lines().filter_map(|line| line.strip_suffix("` |"));
    let names: Vec<&str> = rows.map(|row| row.rsplit('`').next().unwrap()).collect();
    assert!(names.len() > 20, "{} rows", names.len());
    let table_rows = list.lines().filter(|line| line.starts_with('|')).count();
    let headings = list.lines().filter(|line| line.starts_with("## ")).count();
    assert_eq!(names.len(), table_rows - 2 * headings, "each row names its test");
    for name in names {
        assert!(sources.contains(&format!("#[test]\nfn {name}()")), "there is no test {name}");
    }
}
