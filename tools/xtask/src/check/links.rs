//! Links of documents lead somewhere.
//!
//! *Responsible for*: relative links and includes in Markdown. *Not responsible for*: the web, headings inside a page.

use anyhow::Result;

use crate::metadata::Metadata;
use crate::problem::Problem;
use crate::tree::Tree;

/// Finds links to files that are not there.
pub(crate) fn check(tree: &Tree, _metadata: &Metadata) -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    for path in tree.ending(&[".md"]) {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut in_code = false;
        for line in tree.read(path)?.lines() {
            if line.trim_start().starts_with("```") {
                in_code = !in_code;
            } else if !in_code {
                let broken = targets(line).filter(|target| !leads_somewhere(tree, folder, target));
                problems.extend(broken.map(|target| {
                    Problem::new(path, format!("links to {target}, which is not there"), "mend the link")
                }));
            }
        }
    }
    Ok(problems)
}

/// What `](…)` and `{{#include …}}` of a line point at, without the web and without places inside a page.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    let links = line.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0));
    let includes = line.split("{{#include ").skip(1).filter_map(|rest| Some(rest.split_once('}')?.0));
    let local = |target: &&str| !target.contains("://") && !target.starts_with("mailto:");
    let path = |target: &'_ str| -> Option<usize> {
        Some(target.find('#').unwrap_or(target.len())).filter(|end| *end > 0)
    };
    links.chain(includes).filter(local).filter_map(move |target| Some(&target[..path(target)?]))
}

fn leads_somewhere(tree: &Tree, folder: &str, target: &str) -> bool {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                if parts.pop().is_none() {
                    return false;
                }
            }
            name => parts.push(name),
        }
    }
    let full = parts.join("/");
    let below = format!("{full}/");
    full.is_empty() || tree.has(&full) || tree.files().any(|path| path.starts_with(&below))
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::fixture::Fixture;

    #[test]
    fn links_to_files_folders_and_the_web_pass() {
        let text = "[a](../README.md) [b](errors) [c](https://example.org/x) [d](#part) [e](wire.md#frames)\n\
            ```\n[in code](nothing.md)\n```\n{{#include wire.md}}\n";
        let fixture = Fixture::new()
            .file("README.md", "# Lightmoon\n")
            .file("docs/errors/busy.md", "")
            .file("docs/wire.md", "")
            .file("docs/page.md", text);
        assert_eq!(fixture.find(check), Vec::<String>::new());
    }

    #[test]
    fn a_link_to_nothing_is_found() {
        let fixture =
            Fixture::new().file("docs/page.md", "See [this](gone.md#x), {{#include ../../far.md}}.\n");
        let found = fixture.find(check);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("docs/page.md: links to gone.md"), "{found:?}");
    }
}
