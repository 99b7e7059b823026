//! What a file names. It is read from the tokens, so that the body of a macro counts as code does.

use proc_macro2::{Delimiter, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};
use syn::UseTree;

/// The segments of a path.
pub(crate) type Path = Vec<String>;

/// Something that is named.
pub(crate) struct Mention {
    /// The module in which it is.
    pub(crate) module: Path,
    pub(crate) what: What,
    pub(crate) line: usize,
}

pub(crate) enum What {
    /// `a::b`. An empty first segment stands for a leading `::`; the name of a macro ends with `!`.
    Path(Path),
    /// `use a::b as name`
    Import { path: Path, name: String },
    /// `use a::b::*`
    Glob(Path),
    /// `.name(`
    Method(String),
    /// `cfg(name)`, also inside `not`, `any` and `all`.
    Condition(String),
    /// Something that keeps code from this reader.
    Hidden(String),
}

/// All that the file of `module` names, and its inline modules.
pub(crate) fn read(module: &Path, tokens: TokenStream) -> Vec<Mention> {
    let mut reader = Reader { module: module.clone(), in_attribute: false, line: None, found: Vec::new() };
    reader.all(tokens);
    reader.found
}

struct Reader {
    module: Path,
    /// There, strings may hold paths: `#[serde(with = "crate::text")]`.
    in_attribute: bool,
    /// The line of the string whose contents are read.
    line: Option<usize>,
    found: Vec<Mention>,
}

impl Reader {
    fn all(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            at += self.next(&tokens[at..]);
        }
    }

    /// Reads what begins here, and tells how many tokens that are.
    fn next(&mut self, tokens: &[TokenTree]) -> usize {
        let rest = &tokens[1..];
        match &tokens[0] {
            TokenTree::Group(group) => self.all(group.stream()),
            TokenTree::Literal(literal) if self.in_attribute => self.string(literal),
            TokenTree::Literal(_) => {}
            TokenTree::Punct(punct) => match punct.as_char() {
                '#' => return 1 + self.attribute(rest),
                '.' => return 1 + self.member(punct, rest),
                ':' if is(rest.first(), ':') => return 2 + self.path(vec![String::new()], &rest[1..]),
                _ => {}
            },
            TokenTree::Ident(ident) => match ident.to_string().as_str() {
                "use" => return 1 + self.import(ident, rest),
                "mod" => return 1 + self.inline_module(rest),
                "extern" if word(rest.first()).is_some_and(|next| next == "crate") => {
                    self.found(What::Hidden("extern crate".into()), ident.span());
                }
                _ => return self.path(Vec::new(), tokens),
            },
        }
        1
    }

    fn found(&mut self, what: What, span: Span) {
        let line = self.line.unwrap_or(span.start().line);
        self.found.push(Mention { module: self.module.clone(), what, line });
    }

    /// Reads `a::b` and `a::b!` behind the segments that are there already.
    fn path(&mut self, mut segments: Path, tokens: &[TokenTree]) -> usize {
        let Some(span) = tokens.first().map(TokenTree::span) else { return 0 };
        let mut length = 0;
        while let Some(segment) = word(tokens.get(length)) {
            segments.push(segment.trim_start_matches("r#").to_owned());
            length += 1;
            let goes_on = is(tokens.get(length), ':') && is(tokens.get(length + 1), ':');
            if !goes_on || word(tokens.get(length + 2)).is_none() {
                break;
            }
            length += 2;
        }
        if let (true, Some(TokenTree::Group(group))) = (is(tokens.get(length), '!'), tokens.get(length + 1))
            && let Some(name) = segments.last_mut()
        {
            name.push('!');
            if name == "cfg!" {
                self.conditions(group.stream());
            }
            self.found(What::Path(segments), span);
        } else if segments.len() > 1 {
            self.found(What::Path(segments), span);
        }
        length
    }

    /// Reads what is behind a `.`: a field says nothing, and `..` is no member.
    fn member(&mut self, dot: &Punct, rest: &[TokenTree]) -> usize {
        match rest {
            [TokenTree::Punct(next), ..] if dot.spacing() == Spacing::Joint && next.as_char() == '.' => 1,
            [TokenTree::Ident(name), TokenTree::Group(group), ..] if group.delimiter() == Delimiter::Parenthesis => {
                self.found(What::Method(name.to_string()), name.span());
                1
            }
            [TokenTree::Ident(_), ..] => 1,
            _ => 0,
        }
    }

    fn import(&mut self, keyword: &Ident, rest: &[TokenTree]) -> usize {
        let Some(length) = rest.iter().position(|token| is(Some(token), ';')) else { return 0 };
        if is(rest.first(), '<') {
            return 0; // `impl Trait + use<'a>`
        }
        let is_global = is(rest.first(), ':');
        let (prefix, tree) =
            if is_global { (vec![String::new()], &rest[2..length]) } else { (vec![], &rest[..length]) };
        match syn::parse2(tree.iter().cloned().collect()) {
            Ok(tree) => self.tree(&tree, &prefix),
            Err(_) => self.found(What::Hidden("an import that cannot be read".into()), keyword.span()),
        }
        length + 1
    }

    fn tree(&mut self, tree: &UseTree, prefix: &[String]) {
        let with = |ident: &Ident| match ident.to_string() {
            own if own == "self" && !prefix.is_empty() => prefix.to_vec(),
            segment => [prefix, &[segment.trim_start_matches("r#").to_owned()]].concat(),
        };
        let last = |path: &Path| path.last().cloned().unwrap_or_default();
        match tree {
            UseTree::Path(path) => self.tree(&path.tree, &with(&path.ident)),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.tree(tree, prefix)),
            UseTree::Glob(glob) => self.found(What::Glob(prefix.to_vec()), glob.star_token.spans[0]),
            UseTree::Name(name) => {
                let path = with(&name.ident);
                self.found(What::Import { name: last(&path), path }, name.ident.span());
            }
            UseTree::Rename(renamed) => {
                let name = renamed.rename.to_string();
                self.found(What::Import { path: with(&renamed.ident), name }, renamed.ident.span());
            }
        }
    }

    fn inline_module(&mut self, rest: &[TokenTree]) -> usize {
        let [TokenTree::Ident(name), TokenTree::Group(body), ..] = rest else { return 0 };
        self.module.push(name.to_string());
        self.all(body.stream());
        self.module.pop();
        2
    }

    /// Reads `[...]` or `![...]` behind a `#`.
    fn attribute(&mut self, rest: &[TokenTree]) -> usize {
        let bang = usize::from(is(rest.first(), '!'));
        match rest.get(bang) {
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Bracket => {
                self.meta(&group.stream().into_iter().collect::<Vec<_>>());
                bang + 1
            }
            _ => 0,
        }
    }

    fn meta(&mut self, tokens: &[TokenTree]) {
        let Some(TokenTree::Ident(ident)) = tokens.first() else { return };
        match (ident.to_string().as_str(), tokens.get(1)) {
            ("doc", _) => {}
            ("path", _) => self.found(What::Hidden("#[path]".into()), ident.span()),
            ("cfg", Some(TokenTree::Group(condition))) => self.conditions(condition.stream()),
            ("cfg_attr", Some(TokenTree::Group(group))) => {
                let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
                let mut parts = tokens.split(|token| is(Some(token), ','));
                self.conditions(parts.next().into_iter().flatten().cloned().collect());
                parts.for_each(|part| self.meta(part));
            }
            _ => {
                let outside = std::mem::replace(&mut self.in_attribute, true);
                self.all(tokens.iter().cloned().collect());
                self.in_attribute = outside;
            }
        }
    }

    fn conditions(&mut self, tokens: TokenStream) {
        for token in tokens {
            match token {
                TokenTree::Ident(name) => self.found(What::Condition(name.to_string()), name.span()),
                TokenTree::Group(group) => self.conditions(group.stream()),
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
    }

    /// A string that is no path has nothing to tell.
    fn string(&mut self, literal: &Literal) {
        let Ok(text) = syn::parse_str::<syn::LitStr>(&literal.to_string()) else { return };
        let Ok(tokens) = text.value().parse() else { return };
        let outside = self.line.replace(self.line.unwrap_or(literal.span().start().line));
        self.all(tokens);
        self.line = outside;
    }
}

fn is(token: Option<&TokenTree>, character: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == character)
}

fn word(token: Option<&TokenTree>) -> Option<String> {
    match token {
        Some(TokenTree::Ident(ident)) => Some(ident.to_string()),
        _ => None,
    }
}
