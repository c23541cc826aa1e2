//! Files of a web page that are in the binary.
//!
//! *Responsible for*: the trait a game's page answers, and media types. *Not responsible for*: serving (`web`).

use std::borrow::Cow;

/// The files of a game's page; `index.html` is shown first.
///
/// Any type that derives `rust_embed::RustEmbed` is one: it reads files from disk in debug builds and holds them in
/// release builds. The page finds the client SDK under `/lightmoon/` and the game's location in `/lightmoon.json`.
///
/// ```
/// struct Page;
///
/// impl lightmoon::Assets for Page {
///     fn file(path: &str) -> Option<std::borrow::Cow<'static, [u8]>> {
///         (path == "index.html").then_some(b"<!doctype html><title>Game</title>".as_slice().into())
///     }
/// }
/// ```
pub trait Assets: 'static {
    /// The file at `path`: relative, without a slash in front.
    fn file(path: &str) -> Option<Cow<'static, [u8]>>;
}

impl<E: rust_embed::RustEmbed + 'static> Assets for E {
    fn file(path: &str) -> Option<Cow<'static, [u8]>> {
        Self::get(path).map(|file| file.data)
    }
}

/// A page whose type is forgotten.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page {
    file: fn(&str) -> Option<Cow<'static, [u8]>>,
}

impl Page {
    pub(crate) fn of<A: Assets>() -> Self {
        Self { file: A::file }
    }

    pub(crate) fn file(self, path: &str) -> Option<Cow<'static, [u8]>> {
        (self.file)(path)
    }
}

/// The media type of a file by its ending. Scripts need theirs: browsers refuse modules of another type.
pub(crate) fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" | "webmanifest" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "wasm" => "application/wasm",
        "woff2" => "font/woff2",
        "ogg" => "audio/ogg",
        "mp3" => "audio/mpeg",
        "txt" | "md" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_have_the_type_that_browsers_want() {
        assert_eq!(media_type("a/b.test.js"), "text/javascript; charset=utf-8");
        assert_eq!(media_type("index.html"), "text/html; charset=utf-8");
        assert_eq!(media_type("LICENSE"), "application/octet-stream");
    }
}
