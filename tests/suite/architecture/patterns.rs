//! Where the patterns of a `match` name a variant, and which of them take whatever stands there.

use syn::punctuated::Punctuated;
use syn::{Member, Pat, Path, Token};

/// The way into a value: constructors, and what is taken of each.
pub(crate) type Place = Vec<Step>;

/// `("Some", "0")` is inside of `Some(_)`; a tuple has no name.
type Step = (String, String);

/// The places at which `pattern` names something that `is_variant`.
pub(crate) fn places(pattern: &Pat, is_variant: &dyn Fn(&Path) -> bool) -> Vec<Place> {
    if path_of(pattern).is_some_and(is_variant) {
        return vec![Place::new()];
    }
    let inner = alternatives(pattern).into_iter().flat_map(|inner| places(inner, is_variant));
    let parts = parts(pattern).into_iter().flat_map(|(step, part)| {
        let inside = places(part, is_variant);
        inside.into_iter().map(move |place| [&[step.clone()][..], &place].concat())
    });
    inner.chain(parts).collect()
}

/// Whether `pattern` takes whatever is at `place`, named or not.
pub(crate) fn takes_all(pattern: &Pat, place: &[Step]) -> bool {
    let inner = alternatives(pattern);
    if !inner.is_empty() {
        return inner.into_iter().any(|inner| takes_all(inner, place));
    }
    match (pattern, place) {
        (Pat::Wild(_) | Pat::Rest(_), _) => true,
        (Pat::Ident(name), _) => !names_a_constant(&name.ident.to_string()),
        (_, []) => false,
        (_, [step, rest @ ..]) => {
            let parts = parts(pattern);
            match parts.iter().find(|(own, _)| own == step) {
                Some((_, part)) => takes_all(part, rest),
                None => parts.iter().any(|((of, _), part)| *of == step.0 && matches!(part, Pat::Rest(_))),
            }
        }
    }
}

/// The patterns of which one has to match, for the same value.
fn alternatives(pattern: &Pat) -> Vec<&Pat> {
    match pattern {
        Pat::Or(or) => or.cases.iter().collect(),
        Pat::Paren(paren) => vec![&paren.pat],
        Pat::Reference(reference) => vec![&reference.pat],
        Pat::Guard(guard) => vec![&guard.pat],
        Pat::Type(typed) => vec![&typed.pat],
        Pat::Ident(name) => name.subpat.iter().map(|(_, pattern)| &**pattern).collect(),
        _ => Vec::new(),
    }
}

/// The patterns of the parts of a value.
fn parts(pattern: &Pat) -> Vec<(Step, &Pat)> {
    match pattern {
        Pat::Tuple(tuple) => numbered("", &tuple.elems),
        Pat::Slice(slice) => numbered("[]", &slice.elems),
        Pat::TupleStruct(tuple) => numbered(&last(&tuple.path), &tuple.elems),
        Pat::Struct(fields) => {
            let of = last(&fields.path);
            fields.fields.iter().map(|field| ((of.clone(), name(&field.member)), &*field.pat)).collect()
        }
        _ => Vec::new(),
    }
}

/// Behind a `..` the numbers are too small. That does no harm: the `..` takes them all.
fn numbered<'a>(of: &str, patterns: &'a Punctuated<Pat, Token![,]>) -> Vec<(Step, &'a Pat)> {
    patterns.iter().enumerate().map(|(at, pattern)| ((of.to_owned(), at.to_string()), pattern)).collect()
}

fn path_of(pattern: &Pat) -> Option<&Path> {
    match pattern {
        Pat::Path(path) => Some(&path.path),
        Pat::TupleStruct(tuple) => Some(&tuple.path),
        Pat::Struct(fields) => Some(&fields.path),
        _ => None,
    }
}

fn last(path: &Path) -> String {
    path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default()
}

fn name(member: &Member) -> String {
    match member {
        Member::Named(name) => name.to_string(),
        Member::Unnamed(index) => index.index.to_string(),
    }
}

/// `None` is a constant and `other` a binding; the compiler warns of other spellings.
pub(crate) fn names_a_constant(name: &str) -> bool {
    name.starts_with(char::is_uppercase)
}
