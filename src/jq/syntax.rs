//! Programs in the words of the interpreter, where it means something else than jq by the same words.
//!
//! Assignments become calls of the prelude, which assign by paths; of two operands with several results, the right one
//! goes round more slowly; what may double a value at each step is looked at.

use jaq_core::{
    load::{
        self,
        lex::StrPart,
        parse::{self, BinaryOp, Def, Pattern},
    },
    ops::Math,
    path::{Part, Path},
};

type Term<'s> = parse::Term<&'s str>;

/// The name of a whole program among the definitions.
pub const PROGRAM: &str = "__program";

/// No program can have a variable of this name.
const RIGHT: &str = "$!right";

/// None: the text has a mistake, which the loader will find and describe.
pub fn program(code: &str) -> Option<Def<&str>> {
    let body = if is_blank(code) { Term::Id } else { term(load::parse(code, |parser| parser.term())?) };
    Some(Def { name: PROGRAM, args: Vec::new(), body })
}

fn is_blank(code: &str) -> bool {
    load::Lexer::new(code).lex().is_ok_and(|tokens| tokens.is_empty())
}

pub fn definition(def: Def<&str>) -> Def<&str> {
    Def { body: term(def.body), ..def }
}

fn term(it: Term<'_>) -> Term<'_> {
    match it {
        Term::Str(format, parts) => string(format, parts),
        Term::Arr(inner) => match inner {
            Some(inner) => then(Term::Arr(Some(boxed(*inner))), "__sized"),
            None => Term::Arr(None),
        },
        Term::Obj(entries) => Term::Obj(entries.into_iter().map(entry).collect()),
        Term::Neg(inner) => Term::Neg(boxed(*inner)),
        Term::BinOp(left, op, right) => operation(term(*left), op, term(*right)),
        Term::Label(name, inner) => Term::Label(name, boxed(*inner)),
        Term::Fold(name, of, bound, terms) => Term::Fold(name, boxed(*of), pattern(bound), all(terms)),
        Term::TryCatch(inner, handler) => {
            Term::TryCatch(boxed(*inner), handler.map(|handler| boxed(*handler)))
        }
        Term::IfThenElse(cases, other) => {
            let cases = cases.into_iter().map(|(case, result)| (term(case), term(result)));
            Term::IfThenElse(cases.collect(), other.map(|other| boxed(*other)))
        }
        Term::Def(defs, inner) => Term::Def(defs.into_iter().map(definition).collect(), boxed(*inner)),
        Term::Call(name, args) => Term::Call(name, all(args)),
        Term::Path(inner, Path(parts)) => {
            let parts = parts.into_iter().map(|(part, opt)| (part_of(part), opt));
            Term::Path(boxed(*inner), Path(parts.collect()))
        }
        Term::Id | Term::Recurse | Term::Num(_) | Term::Break(_) | Term::Var(_) => it,
    }
}

fn boxed(it: Term<'_>) -> Box<Term<'_>> {
    Box::new(term(it))
}

fn all(terms: Vec<Term<'_>>) -> Vec<Term<'_>> {
    terms.into_iter().map(term).collect()
}

fn part_of(part: Part<Term<'_>>) -> Part<Term<'_>> {
    match part {
        Part::Index(index) => Part::Index(term(index)),
        Part::Range(from, to) => Part::Range(from.map(term), to.map(term)),
    }
}

fn pattern(bound: Pattern<&str>) -> Pattern<&str> {
    match bound {
        Pattern::Var(name) => Pattern::Var(name),
        Pattern::Arr(parts) => Pattern::Arr(parts.into_iter().map(pattern).collect()),
        Pattern::Obj(parts) => {
            Pattern::Obj(parts.into_iter().map(|(key, part)| (term(key), pattern(part))).collect())
        }
    }
}

fn entry<'s>((key, value): (Term<'s>, Option<Term<'s>>)) -> (Term<'s>, Option<Term<'s>>) {
    let is_text = matches!(key, Term::Str(..)) || value.is_none();
    let key = term(key);
    (if is_text { key } else { then(key, "__key") }, value.map(term))
}

/// As a sum, if the order of several results matters.
fn string<'s>(format: Option<&'s str>, parts: Vec<StrPart<&'s str, Term<'s>>>) -> Term<'s> {
    let is_several = |part: &&StrPart<&str, Term>| matches!(part, StrPart::Term(it) if !is_single(it));
    let several = parts.iter().filter(is_several).count();
    let is_plain = !parts.iter().any(|part| matches!(part, StrPart::Term(_)));
    let text = format.unwrap_or("__text");
    let parts = parts.into_iter().map(|part| match part {
        StrPart::Term(it) => StrPart::Term(then(term(it), text)),
        other => other,
    });
    if is_plain {
        return Term::Str(None, parts.collect());
    }
    let whole = if several < 2 {
        Term::Str(None, parts.collect())
    } else {
        parts
            .map(|part| match part {
                StrPart::Term(it) => it,
                other => Term::Str(None, vec![other]),
            })
            .reduce(|left, right| operation(left, BinaryOp::Math(Math::Add), right))
            .unwrap_or_default()
    };
    then(whole, "__sized")
}

fn operation<'s>(left: Term<'s>, op: BinaryOp<&'s str>, right: Term<'s>) -> Term<'s> {
    match op {
        BinaryOp::Math(_) | BinaryOp::Cmp(_) if !is_single(&left) && !is_single(&right) => {
            bind(right, operation(left, op, Term::Var(RIGHT)))
        }
        BinaryOp::Math(Math::Add) => then(binary(left, op, right), "__sized"),
        BinaryOp::Math(Math::Div) => then(binary(left, op, right), "__whole"),
        BinaryOp::Math(Math::Mul) => Term::Call("__times", vec![left, right]),
        BinaryOp::Pipe(Some(bound)) => binary(left, BinaryOp::Pipe(Some(pattern(bound))), right),
        BinaryOp::Assign => Term::Call("__assign", vec![left, right]),
        BinaryOp::Update => update(left, right),
        BinaryOp::UpdateMath(math) => {
            bind(right, update(left, operation(Term::Id, BinaryOp::Math(math), Term::Var(RIGHT))))
        }
        BinaryOp::UpdateAlt => bind(right, update(left, binary(Term::Id, BinaryOp::Alt, Term::Var(RIGHT)))),
        op => binary(left, op, right),
    }
}

/// The interpreter updates without paths, which is quick, and right if nothing is missing.
fn update<'s>(left: Term<'s>, by: Term<'s>) -> Term<'s> {
    match is_iteration(&left) {
        true => binary(left, BinaryOp::Update, Term::Call("__first", vec![by])),
        false => Term::Call("__modify", vec![left, by]),
    }
}

fn binary<'s>(left: Term<'s>, op: BinaryOp<&'s str>, right: Term<'s>) -> Term<'s> {
    Term::BinOp(Box::new(left), op, Box::new(right))
}

fn bind<'s>(value: Term<'s>, rest: Term<'s>) -> Term<'s> {
    binary(value, BinaryOp::Pipe(Some(Pattern::Var(RIGHT))), rest)
}

fn then<'s>(it: Term<'s>, name: &'s str) -> Term<'s> {
    binary(it, BinaryOp::Pipe(None), Term::Call(name, Vec::new()))
}

/// `.[]`, `.[][]`
fn is_iteration(it: &Term<'_>) -> bool {
    match it {
        Term::Path(inner, Path(parts)) => {
            matches!(**inner, Term::Id)
                && parts.iter().all(|(part, _)| matches!(part, Part::Range(None, None)))
        }
        _ => false,
    }
}

/// Whether a term certainly has no more than one result.
fn is_single(it: &Term<'_>) -> bool {
    match it {
        Term::Id | Term::Num(_) | Term::Var(_) | Term::Arr(_) => true,
        Term::Str(_, parts) => parts.iter().all(|part| !matches!(part, StrPart::Term(it) if !is_single(it))),
        Term::Neg(inner) => is_single(inner),
        Term::BinOp(left, BinaryOp::Math(_) | BinaryOp::Cmp(_) | BinaryOp::Pipe(None), right) => {
            is_single(left) && is_single(right)
        }
        Term::Call("__sized" | "__whole" | "__text" | "__key" | "length" | "tostring" | "type", args) => {
            args.is_empty()
        }
        Term::Call("__times", args) => args.iter().all(is_single),
        Term::Path(inner, Path(parts)) => {
            is_single(inner)
                && parts.iter().all(|(part, _)| match part {
                    Part::Index(index) => is_single(index),
                    Part::Range(None, None) => false,
                    Part::Range(from, to) => [from, to].into_iter().flatten().all(is_single),
                })
        }
        _ => false,
    }
}
