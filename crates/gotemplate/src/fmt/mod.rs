//! Go's `fmt`: values as text, plain or with a format.

mod float;
mod format;
mod pad;
mod verb;

pub use format::printf;
pub use verb::Printer;

use super::value::{Kind, Value};

/// Appends the output of a template for `value`.
pub fn print_value(value: &Value<'_>, out: &mut Vec<u8>) {
    match value {
        Value::Str(text) | Value::Number(text) => out.extend_from_slice(text),
        Value::Missing => out.extend_from_slice(b"<no value>"),
        Value::Object(object) if object.kind() == Kind::Pointer => {
            if !object.text(out) {
                Printer::new(out).fields(&**object, 'v');
            }
        }
        value => Printer::new(out).arg(value, 'v'),
    }
}

/// Go's `fmt.Sprint`: a space between two operands if neither is a string.
pub fn print(args: &[Value<'_>], out: &mut Vec<u8>) {
    let is_string = |value: &Value<'_>| matches!(value, Value::Str(_) | Value::Number(_));
    let mut printer = Printer::new(out);
    for (i, arg) in args.iter().enumerate() {
        if i > 0 && !is_string(arg) && !is_string(&args[i - 1]) {
            printer.write(b" ");
        }
        printer.arg(arg, 'v');
    }
}

/// Go's `fmt.Sprintln`: a space between all operands and a newline after.
pub fn println(args: &[Value<'_>], out: &mut Vec<u8>) {
    let mut printer = Printer::new(out);
    for (i, arg) in args.iter().enumerate() {
        if i > 0 {
            printer.write(b" ");
        }
        printer.arg(arg, 'v');
    }
    printer.write(b"\n");
}
