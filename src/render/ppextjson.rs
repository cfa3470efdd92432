//! `-o ppextjson`: [`ExtJson`] with each member on its own line.

use super::{Format, Frame, extjson::ExtJson};
use crate::{event::Instant, origin::Origin};

pub struct PpExtJson(pub ExtJson);

impl Format for PpExtJson {
    fn frame(&self, origin: &Origin) -> Frame {
        let head = [b"{\n  ".to_vec(), self.0.members(origin, ",\n  ")].concat();
        Frame { head, tail: b"\n}\n".to_vec() }
    }

    #[inline]
    fn body(&mut self, time: Option<Instant>, message: &[u8], out: &mut Vec<u8>) {
        self.0.body(time, message, out);
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        plan::{Display, Format as Name},
        render::testing::{display, origin, rendered},
    };

    #[test]
    fn a_line_for_each_member() {
        let display = Display { format: Name::Ppextjson, namespace_in_extjson: true, ..display() };
        let expected = "{\n  \"namespace\": \"default\",\n  \"pod\": \"web\",\n  \"container\": \"app\",\n  \
                        \"message\": {\"a\":1}\n}\n";
        assert_eq!(
            rendered(&display, &[], Some(&origin("default", "web", "app")), &[b"{\"a\":1}"]),
            expected
        );
    }
}
