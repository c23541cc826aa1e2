//! Pages that a book was built into.
//!
//! *Responsible for*: links and pictures that lead nowhere. *Not responsible for*: links of the sources (`check::links`), other sites.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// What a link begins with in a page.
const ATTRIBUTES: [&str; 2] = ["href=\"", "src=\""];

/// `PAGE: TARGET` of every link inside of the book whose file is not there.
pub(crate) fn dead_links(folder: &Path) -> Result<Vec<String>> {
    let mut pages = Vec::new();
    collect(folder, &mut pages)?;
    let mut dead = Vec::new();
    for page in pages {
        let text = fs::read_to_string(&page).with_context(|| format!("cannot read {}", page.display()))?;
        let beside = page.parent().unwrap_or(folder);
        let gone = targets(&text).filter(|target| !beside.join(target).exists());
        let name = page.strip_prefix(folder).unwrap_or(&page).display();
        dead.extend(gone.map(|target| format!("{name}: {target}")));
    }
    dead.sort_unstable();
    dead.dedup();
    Ok(dead)
}

fn collect(folder: &Path, pages: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, pages)?;
        } else if path.extension().is_some_and(|kind| kind == "html") {
            // Of the page for what is not found nobody knows where it is shown.
            pages.extend((!path.ends_with("404.html")).then_some(path));
        }
    }
    Ok(())
}

/// Files that a page names, without what stands behind `#` and `?`.
fn targets(page: &str) -> impl Iterator<Item = &str> {
    let begins =
        ATTRIBUTES.iter().flat_map(move |name| page.match_indices(name).map(|(at, name)| at + name.len()));
    let whole = begins.filter_map(move |at| page[at..].split('"').next());
    let files = whole.map(|target| target.split(['#', '?']).next().unwrap_or(target));
    files.filter(|target| !target.is_empty() && !target.contains(':') && !target.starts_with("//"))
}

#[cfg(test)]
mod tests {
    use super::{dead_links, targets};
    use crate::fixture::Fixture;

    #[test]
    fn a_link_is_its_file() {
        let page = r##"<a href="zones.html#overload"><a href="#here"><a href="https://x.y"><img src="images/a.png">"##;
        assert_eq!(targets(page).collect::<Vec<_>>(), ["zones.html", "images/a.png"]);
    }

    #[test]
    fn a_link_to_nothing_is_found_and_others_are_not() {
        let fixture = Fixture::new()
            .file("index.html", r#"<a href="deep/a.html"><a href="gone.html">"#)
            .file("deep/a.html", r#"<a href="../index.html"><img src="../b.png">"#);
        let dead = dead_links(fixture.tree().root()).unwrap();
        assert_eq!(dead, ["deep/a.html: ../b.png", "index.html: gone.html"]);
    }
}
