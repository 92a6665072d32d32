//! The patches against git itself: `git apply` must make exactly the new tree of the old one.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::Path;
use std::process::{Command, Output};

use supercargo::domain::{diff, manifest};

const MARKER: &str = r#"# {"$imagepolicy": "apps:web"}"#;

fn git(directory: &Path, arguments: &[&str]) -> Output {
    Command::new("git")
        .args(arguments)
        .current_dir(directory)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .unwrap()
}

/// Applies the patch of every `(path, old, new)` to a tree of the old texts and compares it with the new ones.
fn check(files: &[(&str, String, String)], context: usize) {
    let directory = tempfile::tempdir().unwrap();
    let mut patch = String::new();
    for (path, old, new) in files {
        let file = directory.path().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, old).unwrap();
        patch.push_str(&diff::unified(path, old, new, context));
    }
    std::fs::write(directory.path().join("patch"), &patch).unwrap();
    assert!(git(directory.path(), &["init", "-q"]).status.success());
    let zero: &[&str] = if context == 0 { &["--unidiff-zero"] } else { &[] };
    let output = git(directory.path(), &[&["apply"], zero, &["patch"]].concat());
    assert!(output.status.success(), "{}\n{patch}", String::from_utf8_lossy(&output.stderr));
    for (path, _, new) in files {
        assert_eq!(&std::fs::read_to_string(directory.path().join(path)).unwrap(), new, "{path}\n{patch}");
    }
}

/// `text` with all of its marked scalars set to `value`.
fn edited(text: &str, value: &str) -> String {
    let scalars = manifest::find(text).unwrap();
    let edits: Vec<_> = scalars.iter().map(|scalar| (scalar, value)).collect();
    manifest::rewrite(text, &edits).unwrap()
}

fn texts() -> Vec<String> {
    let line = |number| format!("k{number}: {number}{}", if number % 9 == 0 { " M" } else { "" });
    let many = (0..40).map(line).collect::<Vec<_>>().join("\n");
    [
        "image: a:1 M\n",
        "a: x M",
        "a: 1\r\nb: x M\r\n\r\nc: 2",
        "\u{feff}a: | M\n  x\n  y\nb: é\n",
        "a: >- M\r\n  x",
        &many,
    ]
    .into_iter()
    .map(|text| text.replace('M', MARKER))
    .collect()
}

#[test]
fn git_makes_the_edited_file_of_the_old_one() {
    for context in [0, 1, 3, 25] {
        let texts = texts().into_iter().enumerate();
        let files: Vec<_> = texts
            .map(|(number, text)| (format!("d/{number}.yaml"), edited(&text, "o/web:2"), text))
            .collect();
        let files: Vec<_> =
            files.iter().map(|(path, new, old)| (path.as_str(), old.clone(), new.clone())).collect();
        check(&files, context);
    }
}

#[test]
fn git_reads_our_names() {
    for path in
        ["a b/c d.yaml", "é/ü.yaml", "q\"uote\\.yaml", "tab\there.yaml", "new\nline.yaml", " lead", "trail "]
    {
        check(&[(path, "a\n".to_owned(), "b\n".to_owned())], 3);
    }
}

#[test]
fn git_reads_a_newline_that_comes_or_goes() {
    check(&[("a", "x\ny".to_owned(), "x\ny\n".to_owned()), ("b", "x\ny\n".to_owned(), "x\nz".to_owned())], 3);
    check(&[("a", "x\ry\n".to_owned(), "x\rz\n".to_owned()), ("b", "x\r".to_owned(), "y\r".to_owned())], 3);
}
