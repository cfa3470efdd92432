//! Values at paths, set and deleted as in jq.

use jaq_core::Error;
use jaq_json::{Map, Num, Rc, Val};

type Result<T = ()> = std::result::Result<T, Error<Val>>;

/// Longest array that is filled with null.
const LONGEST: usize = 1 << 20;

/// What is missing on the way is made: objects, and arrays filled with null.
pub fn set(value: &mut Val, path: &[Val], new: Val) -> Result {
    let [key, rest @ ..] = path else {
        *value = new;
        return Ok(());
    };
    if matches!(value, Val::Null) {
        match key {
            Val::TStr(_) => *value = Val::obj(Map::default()),
            Val::Num(_) | Val::Obj(_) => *value = Val::Arr(Rc::default()),
            _ => {}
        }
    }
    match (value, key) {
        (Val::Obj(map), Val::TStr(_)) => {
            set(Rc::make_mut(map).entry(key.clone()).or_insert(Val::Null), rest, new)
        }
        (Val::Arr(items), Val::Num(number)) => {
            let at = number_of(number).unwrap_or_default();
            let at = if at < 0 { at + items.len() as isize } else { at };
            let at = usize::try_from(at).map_err(|_| Error::str("out of bounds negative array index"))?;
            let items = Rc::make_mut(items);
            if at >= items.len() {
                if at >= LONGEST {
                    return Err(Error::str(format_args!("the array index {at} is too large")));
                }
                items.resize(at + 1, Val::Null);
            }
            set(&mut items[at], rest, new)
        }
        (Val::Arr(items), Val::Obj(bounds)) => {
            let (from, to) = slice(bounds, items.len());
            let mut part: Val = items[from..to].iter().cloned().collect();
            set(&mut part, rest, new)?;
            let Val::Arr(part) = part else {
                return Err(Error::str("a slice of an array can only be assigned another array"));
            };
            Rc::make_mut(items).splice(from..to, part.iter().cloned());
            Ok(())
        }
        (value, key) => Err(Error::index(value.clone(), key.clone())),
    }
}

/// The last paths go first: the places of the others stay as they are.
pub fn delete(value: &mut Val, paths: &Val) -> Result {
    let Val::Arr(paths) = paths else { return Err(Error::typ(paths.clone(), "array")) };
    let mut paths: Vec<&Val> = paths.iter().collect();
    paths.sort();
    paths.dedup();
    for path in paths.into_iter().rev() {
        let Val::Arr(path) = path else { return Err(Error::typ(path.clone(), "array")) };
        delete_one(value, path)?;
    }
    Ok(())
}

fn delete_one(value: &mut Val, path: &[Val]) -> Result {
    let [key, rest @ ..] = path else {
        *value = Val::Null;
        return Ok(());
    };
    match (value, key) {
        (Val::Null, _) => {}
        (Val::Obj(map), Val::TStr(_)) => {
            let map = Rc::make_mut(map);
            match map.get_mut(key) {
                None => {}
                Some(_) if rest.is_empty() => drop(map.shift_remove(key)),
                Some(inner) => delete_one(inner, rest)?,
            }
        }
        (Val::Arr(items), Val::Num(number)) => {
            let at = number_of(number).unwrap_or_default();
            let at = if at < 0 { at + items.len() as isize } else { at };
            let Some(at) = usize::try_from(at).ok().filter(|at| *at < items.len()) else { return Ok(()) };
            let items = Rc::make_mut(items);
            match rest {
                [] => drop(items.remove(at)),
                rest => delete_one(&mut items[at], rest)?,
            }
        }
        (Val::Arr(items), Val::Obj(bounds)) => {
            let (from, to) = slice(bounds, items.len());
            let mut part: Val = items[from..to].iter().cloned().collect();
            match rest {
                [] => part = Val::Arr(Rc::default()),
                rest => delete_one(&mut part, rest)?,
            }
            if let Val::Arr(part) = part {
                Rc::make_mut(items).splice(from..to, part.iter().cloned());
            }
        }
        (value, key) => return Err(Error::str(format_args!("cannot delete {key} of {value}"))),
    }
    Ok(())
}

fn number_of(number: &Num) -> Option<isize> {
    match number {
        Num::Float(float) => Some(float.floor() as isize),
        Num::Dec(text) => text.parse().ok().map(|float: f64| float.floor() as isize),
        number => number.as_isize(),
    }
}

/// The bounds of a slice in an array.
fn slice(bounds: &Map, len: usize) -> (usize, usize) {
    let bound = |name: &str, missing: usize| match bounds.get(&Val::utf8_str(name.to_owned())) {
        Some(Val::Num(number)) => {
            let at = number_of(number).unwrap_or_default();
            let at = if at < 0 { at + len as isize } else { at };
            usize::try_from(at).unwrap_or_default().min(len)
        }
        _ => missing,
    };
    let from = bound("start", 0);
    (from, bound("end", len).max(from))
}
