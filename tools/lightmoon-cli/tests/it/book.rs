//! The book quotes the game that `lightmoon new` makes: each marked block stands in the template word by word.
//!
//! A block is marked by a line `<!-- template/FILE -->` above it. The template itself is built and played by `cargo xtask test`.

use std::path::Path;

/// The blocks of a chapter that quote the template, with their files.
fn quotes(chapter: &str) -> Vec<(&str, &str)> {
    let marks = chapter.split("<!-- template/").skip(1);
    marks
        .map(|after| {
            let (file, block) =
                after.split_once(" -->\n```rust\n").expect("a mark stands above a block of Rust");
            (file, block.split_once("```\n").expect("a block ends").0)
        })
        .collect()
}

#[test]
fn the_book_quotes_the_new_game_as_it_is() {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (chapter, at_least) in [("new-game.md", 6), ("zones.md", 1)] {
        let path = crate_folder.join("../../docs/book/src").join(chapter);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{chapter}: {error}"));
        let quotes = quotes(&text);
        assert!(quotes.len() >= at_least, "{chapter} quotes only {} parts", quotes.len());
        for (file, block) in quotes {
            let code = std::fs::read_to_string(crate_folder.join("template").join(file)).unwrap();
            assert!(code.contains(block), "{chapter} shows what is not in {file}:\n{block}");
        }
    }
}
