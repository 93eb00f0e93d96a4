//! The rooms of the core: who may import whom, what reaches the wasm module, and that the
//! map in `lib.rs` is true.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "a test that cannot go on fails"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Room, and the rooms it may import. Every room may import itself.
const IMPORTS: &[(&str, &[&str])] = &[
    ("json", &[]),
    ("sorted", &[]),
    ("usage", &[]),
    ("operation", &[]),
    ("framing", &[]),
    ("fidelity", &["json"]),
    ("failure", &["json"]),
    ("tokens", &["framing"]),
    ("catalog", &["operation", "tokens", "usage"]),
    (
        "schema",
        &[
            "catalog",
            "failure",
            "fidelity",
            "framing",
            "json",
            "operation",
            "usage",
        ],
    ),
    (
        "provider",
        &["catalog", "failure", "json", "operation", "schema"],
    ),
    (
        "inspect",
        &["framing", "json", "operation", "schema", "tokens"],
    ),
    ("classify", &["json", "schema", "sorted"]),
    ("quality", &["json", "schema"]),
    (
        "surface",
        &[
            "failure", "fidelity", "framing", "inspect", "json", "schema", "usage",
        ],
    ),
    (
        "adapt",
        &[
            "catalog", "failure", "fidelity", "framing", "inspect", "json", "schema", "tokens",
            "usage",
        ],
    ),
    ("observed", &["failure", "sorted", "usage"]),
    ("budget", &["observed"]),
    ("metrics", &["failure", "observed"]),
    (
        "routing",
        &["catalog", "inspect", "observed", "sorted", "usage"],
    ),
    (
        "cache",
        &["framing", "json", "observed", "routing", "sorted"],
    ),
    (
        "config",
        &[
            "budget",
            "cache",
            "catalog",
            "classify",
            "failure",
            "inspect",
            "json",
            "observed",
            "operation",
            "provider",
            "quality",
            "routing",
            "schema",
            "sorted",
            "tokens",
        ],
    ),
    (
        "callout",
        &[
            "classify", "config", "inspect", "json", "observed", "routing",
        ],
    ),
    (
        "exchange",
        &[
            "adapt",
            "budget",
            "cache",
            "callout",
            "catalog",
            "classify",
            "config",
            "failure",
            "fidelity",
            "framing",
            "inspect",
            "json",
            "metrics",
            "observed",
            "operation",
            "provider",
            "quality",
            "routing",
            "schema",
            "sorted",
            "surface",
            "tokens",
            "usage",
        ],
    ),
    // The names that both roles and Envoy must agree on stand in the exchange's handoff.
    (
        "render",
        &[
            "budget",
            "catalog",
            "config",
            "exchange",
            "metrics",
            "operation",
            "provider",
            "surface",
        ],
    ),
    ("lint", &["config", "exchange"]),
    (
        "cli",
        &[
            "budget",
            "adapt",
            "callout",
            "catalog",
            "config",
            "exchange",
            "failure",
            "fidelity",
            "inspect",
            "json",
            "lint",
            "observed",
            "operation",
            "provider",
            "render",
            "routing",
            "schema",
            "surface",
            "usage",
        ],
    ),
];

/// Every crate that may be compiled into the filter, and why.
const WASM_CRATES: &[&str] = &[
    "pointsman",
    "pointsman-filter",
    "pointsman-json",
    // The host's interface; it brings its own hash map.
    "proxy-wasm",
    "hashbrown",
    "allocator-api2",
    "equivalent",
    "foldhash",
    "log",
    // JSON.
    "serde",
    "serde_core",
    "serde_json",
    "itoa",
    "memchr",
    "ryu",
    "zmij",
    // Run by the compiler only.
    "serde_derive",
    "proc-macro2",
    "quote",
    "syn",
    "unicode-ident",
];

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
}

/// The room of a file in `src`: its first folder, or its own name.
fn room_of(file: &Path) -> String {
    let inside = file.strip_prefix(src()).expect("in src");
    let first = inside.components().next().expect("a name");
    let first = first.as_os_str().to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

/// Rooms that are named in `text` by paths from the crate's root, comments left out.
fn imports_of(text: &str, rooms: &BTreeSet<String>) -> BTreeSet<String> {
    let code = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n");
    let mut found = BTreeSet::new();
    for (at, root) in code.match_indices("crate::") {
        let rest = &code[at + root.len()..];
        let paths: Vec<&str> = match rest.strip_prefix('{') {
            Some(group) => heads(group),
            None => vec![rest],
        };
        for path in paths {
            let name = path.trim_start();
            let end = name.find(|c: char| !c.is_alphanumeric() && c != '_');
            let name = &name[..end.unwrap_or(name.len())];
            if rooms.contains(name) {
                found.insert(name.to_owned());
            }
        }
    }
    found
}

/// The paths of `a::b, c::{d, e}, f}`, nested groups left alone.
fn heads(group: &str) -> Vec<&str> {
    let (mut depth, mut start, mut heads) = (0_usize, 0, Vec::new());
    for (i, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                heads.push(&group[start..i]);
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                heads.push(&group[start..i]);
                start = i + 1;
            }
            _ => {}
        }
    }
    heads
}

fn rooms() -> BTreeSet<String> {
    IMPORTS.iter().map(|(room, _)| (*room).to_owned()).collect()
}

#[test]
fn rooms_import_only_what_the_table_allows() {
    let rooms = rooms();
    let table: BTreeMap<&str, &[&str]> = IMPORTS.iter().copied().collect();
    let mut files = Vec::new();
    rust_files(&src(), &mut files);
    let mut wrong = Vec::new();
    for file in files {
        let room = room_of(&file);
        let Some(allowed) = table.get(room.as_str()) else {
            continue;
        };
        // Tests may lean on anything.
        if file.file_name().is_some_and(|name| name == "tests.rs") {
            continue;
        }
        let text = fs::read_to_string(&file).expect("text");
        for import in imports_of(&text, &rooms) {
            if import != room && !allowed.contains(&import.as_str()) {
                wrong.push(format!("{} imports {import}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_has_no_circles() {
    let mut settled: BTreeSet<&str> = BTreeSet::new();
    for (room, allowed) in IMPORTS {
        for import in *allowed {
            assert!(settled.contains(import), "{room} stands before {import}");
        }
        settled.insert(room);
    }
}

#[test]
fn only_main_knows_the_command_line() {
    let mut files = Vec::new();
    rust_files(&src(), &mut files);
    for file in files {
        let room = room_of(&file);
        let text = fs::read_to_string(&file).expect("text");
        if room != "cli" && room != "main" {
            assert!(
                !imports_of(&text, &rooms()).contains("cli"),
                "{}",
                file.display()
            );
        }
    }
    let main = fs::read_to_string(src().join("main.rs")).expect("text");
    assert!(main.contains("pointsman::cli::"));
}

#[test]
fn the_map_and_the_modules_and_the_folder_agree() {
    let lib = fs::read_to_string(src().join("lib.rs")).expect("text");
    let declared: BTreeSet<String> = lib
        .lines()
        .filter_map(|line| {
            let own = line.strip_prefix("pub mod ");
            // A room that is a crate of its own.
            let room = own.or_else(|| line.strip_prefix("pub use pointsman_json as "))?;
            room.strip_suffix(';')
        })
        .map(str::to_owned)
        .collect();
    let mapped: BTreeSet<String> = lib
        .lines()
        .filter_map(|line| line.strip_prefix("//! * ")?.split_once(':'))
        .flat_map(|(names, _)| names.split(", "))
        .map(|name| name.trim_matches(['[', ']', '`']).to_owned())
        .collect();
    let present: BTreeSet<String> = fs::read_dir(src())
        .expect("a folder")
        .map(|entry| room_of(&entry.expect("readable").path()))
        .filter(|name| name != "lib" && name != "main")
        .collect();
    assert_eq!(declared, mapped, "modules and the map of lib.rs");
    assert_eq!(declared, present, "modules and files");
    assert_eq!(declared, rooms(), "modules and the table of imports");
}

#[test]
fn nothing_native_reaches_the_wasm_module() {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "-p",
            "pointsman-filter",
            "-e",
            "normal",
            "--target",
            "wasm32-wasip1",
        ])
        .args([
            "--prefix",
            "none",
            "--format",
            "{p}",
            "--locked",
            "--offline",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let listed = String::from_utf8(output.stdout).expect("text");
    let crates: BTreeSet<&str> = listed
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(crates.contains("pointsman") && crates.contains("proxy-wasm"));
    let uninvited: Vec<_> = crates
        .iter()
        .filter(|name| !WASM_CRATES.contains(name))
        .collect();
    assert!(uninvited.is_empty(), "{uninvited:?}");
}

#[test]
fn the_table_of_models_stays_out_of_the_wasm_module() {
    let text = fs::read_to_string(src().join("catalog/mod.rs")).expect("text");
    let lines: Vec<&str> = text.lines().collect();
    let native = "#[cfg(feature = \"cli\")]";
    // What candidates have of their own.
    let shared = [
        "mod adaptation;",
        "mod labels;",
        "pub mod cost;",
        "pub mod price;",
    ];
    let is_module = |line: &str| {
        (line.starts_with("mod ") || line.starts_with("pub mod ")) && !shared.contains(&line)
    };
    let modules: Vec<_> = lines.windows(2).filter(|pair| is_module(pair[1])).collect();
    assert!(modules.len() >= 3, "{modules:?}");
    assert!(modules.iter().all(|pair| pair[0] == native), "{modules:?}");
    assert!(!text.contains("include_str"));
}

#[test]
fn grouped_and_nested_imports_are_seen() {
    let rooms = rooms();
    let text = "use crate::{json::{self, Text}, usage::Usage};\n// crate::cli\nfn f() { crate::schema::g() }";
    let found: Vec<_> = imports_of(text, &rooms).into_iter().collect();
    assert_eq!(found, ["json", "schema", "usage"]);
}
