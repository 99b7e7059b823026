//! What is done for one service manager and not for another: only a `match` that names them all is brought to the
//! attention of whoever adds one.

use proc_macro2::TokenStream;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{BinOp, Block, Expr, Pat, Path, Token, Type};

use super::house::{File, House};
use super::mentions::What;
use super::patterns::{names_a_constant, places, takes_all};

/// Methods that compare.
const COMPARING: [&str; 3] = ["contains", "eq", "ne"];

/// Every decision that the compiler does not ask about when a service manager is added, with file and line: a `match` on one of `types` with an arm for whatever else there is, and outside the `knowing`
/// rooms any other question which one it is.
pub(crate) fn incomplete(house: &House, types: &[&str], knowing: &[&str]) -> Vec<String> {
    let mut faults = Vec::new();
    for file in &house.files {
        let knows = knowing.contains(&file.room.as_str());
        let mut decisions = Decisions { file, types, knows, self_is_one: false, faults: Vec::new() };
        decisions.renamed();
        decisions.visit_file(&file.syntax);
        faults.append(&mut decisions.faults);
    }
    faults
}

struct Decisions<'a> {
    file: &'a File,
    types: &'a [&'a str],
    /// Whether the room may ask which service manager it is.
    knows: bool,
    /// Whether `Self` is one of the types.
    self_is_one: bool,
    faults: Vec<String>,
}

impl Decisions<'_> {
    fn fault(&mut self, line: usize, what: &str) {
        let text = format!("{}: {what}", self.file.at(line));
        self.faults.push(text);
    }

    /// Asking which one it is, where that is not known.
    fn asks(&mut self, at: &impl Spanned, how: &str) {
        if !self.knows {
            self.fault(at.span().start().line, &format!("{how} asks for one service manager, and not for each"));
        }
    }

    /// Variants are only seen behind the name of their type.
    fn renamed(&mut self) {
        let file = self.file;
        for mention in &file.mentions {
            let is_renamed = match &mention.what {
                What::Import { path, name } => match &path[..] {
                    [.., of, _] if self.is_type(of) => true,
                    [.., last] => self.is_type(last) && name != last,
                    [] => false,
                },
                What::Glob(path) => path.last().is_some_and(|last| self.is_type(last)),
                What::Path(_) | What::Method(_) | What::Condition(_) | What::Hidden(_) => false,
            };
            if is_renamed {
                self.fault(mention.line, "an import gives variants another name than `Type::Variant`");
            }
        }
    }

    fn is_type(&self, name: &str) -> bool {
        self.types.contains(&name)
    }

    fn is_variant(&self, path: &Path) -> bool {
        let names: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        let [.., of, variant] = &names[..] else { return false };
        (self.is_type(of) || self.self_is_one && of == "Self") && names_a_constant(variant)
    }

    fn names_variant(&self, pattern: &Pat) -> bool {
        !places(pattern, &|path| self.is_variant(path)).is_empty()
    }

    /// Whether a value is made of a variant: `&Some(Target::Nssm)`.
    fn has_variant(&self, value: &Expr) -> bool {
        let has = |value: &Expr| self.has_variant(value);
        match value {
            Expr::Path(path) => self.is_variant(&path.path),
            Expr::Struct(made) => self.is_variant(&made.path),
            Expr::Call(call) => has(&call.func) || is_constructor(&call.func) && call.args.iter().any(has),
            Expr::Reference(reference) => has(&reference.expr),
            Expr::Paren(paren) => has(&paren.expr),
            Expr::Group(group) => has(&group.expr),
            Expr::Tuple(tuple) => tuple.elems.iter().any(has),
            Expr::Array(array) => array.elems.iter().any(has),
            _ => false,
        }
    }

    fn matches(&mut self, found: &Matches) {
        if self.names_variant(&found.pattern) {
            self.asks(&found.pattern, "`matches!`");
        }
        self.visit_expr(&found.value);
        found.guard.iter().for_each(|guard| self.visit_expr(guard));
    }

    /// The arguments of a macro: expressions or statements, as those of most are.
    fn arguments(&mut self, found: &syn::Macro) {
        let tokens = || found.tokens.clone();
        if let Ok(values) = Punctuated::<Expr, Token![,]>::parse_terminated.parse2(tokens()) {
            values.iter().for_each(|value| self.visit_expr(value));
        } else if let Ok(statements) = Block::parse_within.parse2(tokens()) {
            statements.iter().for_each(|statement| self.visit_stmt(statement));
        } else if self.tokens_name_variant(tokens()) {
            self.fault(found.span().start().line, "a macro of a grammar of its own names a service manager");
        }
    }

    fn tokens_name_variant(&self, tokens: TokenStream) -> bool {
        let module = vec!["crate".to_owned()];
        super::mentions::read(&module, tokens).iter().any(|mention| match &mention.what {
            What::Path(path) => matches!(&path[..], [.., of, last] if self.is_type(of) && names_a_constant(last)),
            _ => false,
        })
    }
}

impl<'a> Visit<'a> for Decisions<'_> {
    fn visit_item_impl(&mut self, item: &'a syn::ItemImpl) {
        let is_one = last(&item.self_ty).is_some_and(|of| self.is_type(&of));
        let outside = std::mem::replace(&mut self.self_is_one, is_one);
        visit::visit_item_impl(self, item);
        self.self_is_one = outside;
    }

    fn visit_item_type(&mut self, item: &'a syn::ItemType) {
        if last(&item.ty).is_some_and(|of| self.is_type(&of)) {
            self.fault(item.span().start().line, "an alias gives variants another name than `Type::Variant`");
        }
        visit::visit_item_type(self, item);
    }

    fn visit_expr_match(&mut self, found: &'a syn::ExprMatch) {
        let arms = || found.arms.iter().map(|arm| &arm.pat);
        let named: Vec<_> = arms().flat_map(|pattern| places(pattern, &|path| self.is_variant(path))).collect();
        for pattern in arms().filter(|pattern| named.iter().any(|place| takes_all(pattern, place))) {
            self.fault(pattern.span().start().line, "an arm of a `match` takes service managers without their names");
        }
        visit::visit_expr_match(self, found);
    }

    fn visit_expr_let(&mut self, found: &'a syn::ExprLet) {
        if self.names_variant(&found.pat) {
            self.asks(found, "`if let`");
        }
        visit::visit_expr_let(self, found);
    }

    fn visit_local(&mut self, local: &'a syn::Local) {
        if self.names_variant(&local.pat) {
            self.asks(local, "`let ... else`");
        }
        visit::visit_local(self, local);
    }

    fn visit_expr_binary(&mut self, found: &'a syn::ExprBinary) {
        let compares = matches!(found.op, BinOp::Eq(_) | BinOp::Ne(_));
        if compares && (self.has_variant(&found.left) || self.has_variant(&found.right)) {
            self.asks(&found.op, if matches!(found.op, BinOp::Eq(_)) { "`==`" } else { "`!=`" });
        }
        visit::visit_expr_binary(self, found);
    }

    fn visit_expr_method_call(&mut self, call: &'a syn::ExprMethodCall) {
        let name = call.method.to_string();
        let has = |value: &Expr| self.has_variant(value);
        if COMPARING.contains(&name.as_str()) && (has(&call.receiver) || call.args.iter().any(has)) {
            self.asks(&call.method, &format!("`.{name}()`"));
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_macro(&mut self, found: &'a syn::Macro) {
        match Matches::parse.parse2(found.tokens.clone()) {
            Ok(parsed) if is_matches(&found.path) => self.matches(&parsed),
            _ => self.arguments(found),
        }
    }
}

/// `matches!(value, pattern if guard)`, and its like with more arguments behind.
struct Matches {
    value: Expr,
    pattern: Pat,
    guard: Option<Expr>,
}

impl Matches {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let value = input.parse()?;
        input.parse::<Token![,]>()?;
        let pattern = Pat::parse_multi_with_leading_vert(input)?;
        let guard = input.parse::<Option<Token![if]>>()?.map(|_| input.parse()).transpose()?;
        input.parse::<TokenStream>()?;
        Ok(Self { value, pattern, guard })
    }
}

fn is_matches(path: &Path) -> bool {
    path.segments.last().is_some_and(|last| last.ident.to_string().ends_with("matches"))
}

fn is_constructor(function: &Expr) -> bool {
    match function {
        Expr::Path(path) => path.path.segments.last().is_some_and(|last| names_a_constant(&last.ident.to_string())),
        _ => false,
    }
}

/// The last name of a type that is a path.
fn last(of: &Type) -> Option<String> {
    match of {
        Type::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()),
        _ => None,
    }
}
