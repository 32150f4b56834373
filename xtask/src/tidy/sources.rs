//! Rules about single source files: their size, the size of their functions, their names and attributes.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use proc_macro2::TokenTree;
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};

use super::Problem;
use super::edges::EMPTY_NAMES;

const FILE_LINES: usize = 500;
const FUNCTION_LINES: usize = 60;
/// Where our sources are.
const FOLDERS: [&str; 5] = ["crates", "examples", "src", "tests", "xtask"];

pub(super) fn check(root: &Path, files: &[PathBuf]) -> anyhow::Result<Vec<Problem>> {
    let mut problems = Vec::new();
    for path in files {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let place = path.strip_prefix(root).unwrap_or(path);
        problems.extend(check_file(place, &text));
    }
    Ok(problems)
}

/// Our source files, by name.
pub(super) fn files(root: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders: Vec<_> =
        FOLDERS.iter().map(|name| root.join(name)).filter(|path| path.is_dir()).collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn check_file(place: &Path, text: &str) -> Vec<Problem> {
    let name = place.display().to_string();
    let mut problems = Vec::new();
    let lines = text.lines().count();
    if lines > FILE_LINES {
        problems.push(Problem::new(&name, format!("has {lines} lines; split it before {FILE_LINES}")));
    }
    let stem = place.file_stem().unwrap_or_default().to_string_lossy();
    if stem == "mod" {
        problems.push(Problem::new(&name, "modules are foo.rs and foo/bar.rs"));
    }
    if EMPTY_NAMES.contains(&&*stem) {
        problems.push(Problem::new(&name, "a module is named for what it holds"));
    }
    match syn::parse_file(text) {
        Ok(file) => problems.extend(Reader::read(name, &file)),
        Err(error) => problems.push(Problem::new(name, format!("does not parse: {error}"))),
    }
    problems
}

struct Reader {
    name: String,
    problems: Vec<Problem>,
}

impl Reader {
    fn read(name: String, file: &syn::File) -> Vec<Problem> {
        let mut reader = Self { name, problems: Vec::new() };
        reader.visit_file(file);
        reader.problems
    }

    fn measure(&mut self, signature: &syn::Signature, body: &syn::Block) {
        let first = signature.span().start().line;
        let lines = body.span().end().line + 1 - first;
        if lines > FUNCTION_LINES {
            let text = format!("{} has {lines} lines; at most {FUNCTION_LINES}", signature.ident);
            self.problems.push(Problem::new(format!("{}:{first}", self.name), text));
        }
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.measure(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.measure(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(body) = &item.default {
            self.measure(&item.sig, body);
        }
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if EMPTY_NAMES.iter().any(|name| item.ident == name) {
            let place = format!("{}:{}", self.name, item.span().start().line);
            self.problems.push(Problem::new(place, "a module is named for what it holds"));
        }
        visit::visit_item_mod(self, item);
    }

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        if allows(attribute) {
            let place = format!("{}:{}", self.name, attribute.span().start().line);
            self.problems.push(Problem::new(place, "use #[expect(lint, reason = \"…\")], never allow"));
        }
    }
}

fn allows(attribute: &syn::Attribute) -> bool {
    let path = attribute.path();
    let conditional = || match &attribute.meta {
        syn::Meta::List(list) => list
            .tokens
            .clone()
            .into_iter()
            .any(|token| matches!(&token, TokenTree::Ident(name) if name == "allow")),
        syn::Meta::Path(_) | syn::Meta::NameValue(_) => false,
    };
    path.is_ident("allow") || (path.is_ident("cfg_attr") && conditional())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(name: &str, source: &str) -> Vec<String> {
        check_file(Path::new(name), source).iter().map(Problem::to_string).collect()
    }

    #[test]
    fn long_functions_and_files_are_named() {
        let body = "    f();\n".repeat(FUNCTION_LINES);
        let source = format!("fn short() {{}}\n\nimpl A {{\n    fn long() {{\n{body}}}\n}}\n");
        assert_eq!(texts("a.rs", &source), ["a.rs:4: long has 62 lines; at most 60"]);
        let source = "// x\n".repeat(FILE_LINES + 1);
        assert_eq!(texts("a.rs", &source), ["a.rs: has 501 lines; split it before 500"]);
        assert!(texts("a.rs", &"// x\n".repeat(FILE_LINES)).is_empty());
    }

    #[test]
    fn allow_is_refused_everywhere() {
        let source = "#![allow(dead_code)]\nmod a {\n    #[cfg_attr(test, allow(unused))]\n    fn f() {}\n}\n\
                      #[expect(dead_code)]\nfn g() {}\n";
        let found = texts("a.rs", source);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("a.rs:1:") && found[1].starts_with("a.rs:3:"), "{found:?}");
    }

    #[test]
    fn empty_names_and_mod_rs_are_refused() {
        assert_eq!(texts("a/mod.rs", "").len(), 1);
        assert_eq!(texts("a/utils.rs", "").len(), 1);
        assert_eq!(texts("a/b.rs", "mod helpers {}").len(), 1);
    }
}
