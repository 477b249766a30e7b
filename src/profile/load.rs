//! Reading a profile: the file, what it extends, the environment.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::node::{Node, Source, Value};
use super::substitute::{Env, substitute};
use super::{Profile, Redactor, de, lower, preset};
use crate::error::{Error, Result};

/// Files in a chain of `extends`.
const DEPTH: usize = 8;

impl Profile {
    /// Reads a profile from a file, or an embedded one by the path `preset/NAME`.
    ///
    /// # Errors
    /// Usage errors that name file, line and key: unreadable file, syntax, unknown key, unset variable, wrong value.
    pub fn load(path: &Path, env: &dyn Fn(&str) -> Option<String>) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            Error::usage(format!("the profile cannot be read: {error}"))
                .file(path)
                .help("check the path after `--profile`")
        })?;
        Self::load_str(path, &text, env)
    }

    /// Reads a profile from text; `path` names it in errors, and relative paths start from its folder.
    ///
    /// # Errors
    /// As [`Profile::load`].
    pub fn load_str(path: &Path, text: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<Self> {
        let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let source = Arc::new(Source {
            label: path.display().to_string(),
            folder: Some(folder.to_path_buf()),
            text: text.into(),
        });
        let mut chain = vec![Link { id: identity(path), label: source.label.clone() }];
        let top = Node::parse(&source)?;
        let mut root = defaults()?;
        root.merge(extended(top, &mut chain)?);
        finish(root, path, env)
    }
}

fn finish(mut root: Node, path: &Path, env: Env<'_>) -> Result<Profile> {
    let redactor = Redactor::default();
    substitute(&mut root, "", env, &redactor)?;
    let raw = de::from_node(&root)?;
    lower::lower(raw, root, path, redactor)
}

struct Link {
    id: PathBuf,
    label: String,
}

fn identity(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf())
}

fn defaults() -> Result<Node> {
    let text = include_str!("defaults.toml").into();
    Node::parse(&Arc::new(Source { label: "default".to_owned(), folder: None, text }))
}

/// `node` on top of everything that it extends.
fn extended(mut node: Node, chain: &mut Vec<Link>) -> Result<Node> {
    let Value::Table(entries) = &mut node.value else { return Ok(node) };
    let Some(extends) = entries.remove("extends") else { return Ok(node) };
    let origin = &extends.origin;
    let Some(name) = extends.text().map(|text| text.filled.clone()) else {
        return Err(origin
            .fail("extends", "text expected")
            .help("write `extends = \"preset/NAME\"` or a relative path"));
    };
    let (source, id) = if let Some(name) = name.strip_prefix("preset/") {
        let Some(preset) = preset::presets().find(|preset| preset.name == name) else {
            let names: Vec<&str> = preset::presets().map(|preset| preset.name).collect();
            return Err(origin.fail("extends", format!("there is no preset `{name}`")).help(de::suggest(name, &names)));
        };
        let label = format!("preset/{name}");
        let id = PathBuf::from(&label);
        (Source { label, folder: None, text: preset.text.into() }, id)
    } else {
        let Some(folder) = &origin.source.folder else {
            return Err(origin.fail("extends", "a preset extends presets alone").help("write `preset/NAME`"));
        };
        let path = folder.join(&name);
        let text = std::fs::read_to_string(&path).map_err(|error| {
            let help = "write `preset/NAME`, or a path relative to this file";
            origin.fail("extends", format!("`{}` cannot be read: {error}", path.display())).help(help)
        })?;
        let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
        let id = identity(&path);
        (Source { label: path.display().to_string(), folder: Some(folder), text: text.into() }, id)
    };
    let cycle = chain.iter().any(|link| link.id == id);
    chain.push(Link { id, label: source.label.clone() });
    let names = chain.iter().map(|link| format!("`{}`", link.label)).collect::<Vec<_>>().join(" → ");
    if cycle {
        return Err(origin
            .fail("extends", format!("profiles extend each other in a circle: {names}"))
            .help("take one `extends` out"));
    }
    if chain.len() > DEPTH {
        return Err(origin
            .fail("extends", format!("more than {DEPTH} profiles extend each other: {names}"))
            .help("merge some of them"));
    }
    let mut below = extended(Node::parse(&Arc::new(source))?, chain)?;
    // A name says which profile this is, so it is not inherited.
    if let Value::Table(entries) = &mut below.value {
        entries.remove("name");
    }
    below.merge(node);
    Ok(below)
}
