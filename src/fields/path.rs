//! Fields by the path of their keys.

use super::{Field, Record};

impl<'r, 'm> Record<'r, 'm> {
    /// The first field at a path such as `http.status`. A key that has dots itself is tried whole first.
    pub fn find(&self, path: &[u8]) -> Option<Field<'r, 'm>> {
        find(self.fields(), path)
    }
}

impl<'r, 'm> Field<'r, 'm> {
    /// The first field at a path within this one.
    pub fn find(&self, path: &[u8]) -> Option<Field<'r, 'm>> {
        find(self.fields(), path)
    }
}

fn find<'r, 'm>(fields: impl Iterator<Item = Field<'r, 'm>> + Clone, path: &[u8]) -> Option<Field<'r, 'm>> {
    if let Some(field) = fields.clone().find(|field| field.has_key(path)) {
        return Some(field);
    }
    // A field has at most as many fields within as the path has dots, so that this ends soon.
    memchr::memrchr_iter(b'.', path).find_map(|dot| {
        fields
            .clone()
            .filter(|field| field.has_key(&path[..dot]))
            .find_map(|field| field.find(&path[dot + 1..]))
    })
}
