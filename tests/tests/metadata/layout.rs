//! The layout of everything that clients encode and decode, as lines of text: what is called how does count, documentation
//! does not.

use frame_metadata::v14::StorageEntryType;
use frame_metadata::v16::RuntimeMetadataV16;
use scale_info::form::PortableForm;
use scale_info::{Field, PortableRegistry, TypeDef, Variant};
use std::fmt;

/// Lines, in the order of the metadata.
pub struct Layout(Vec<String>);

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

struct Writer<'a> {
    types: &'a PortableRegistry,
    lines: Vec<String>,
}

impl Layout {
    /// The layout that `metadata` describes.
    pub fn of(metadata: &RuntimeMetadataV16) -> Self {
        let mut writer = Writer { types: &metadata.types, lines: Vec::new() };
        writer.modules(metadata);
        writer.frame(metadata);
        writer.all_types();
        Self(writer.lines)
    }
}

impl Writer<'_> {
    fn line(&mut self, line: impl Into<String>) {
        self.lines.push(line.into());
    }

    /// How a type is written where it is used: by its path, or by what it is made of.
    fn name(&self, id: u32) -> String {
        let ty = self.types.resolve(id).unwrap();
        let parameters: Vec<String> =
            ty.type_params.iter().filter_map(|one| Some(self.name(one.ty?.id))).collect();
        let path = ty.path.segments.join("::");
        match &ty.type_def {
            _ if !path.is_empty() && parameters.is_empty() => path,
            _ if !path.is_empty() => format!("{path}<{}>", parameters.join(", ")),
            TypeDef::Sequence(of) => format!("[{}]", self.name(of.type_param.id)),
            TypeDef::Array(of) => format!("[{}; {}]", self.name(of.type_param.id), of.len),
            TypeDef::Tuple(of) => {
                let parts: Vec<String> = of.fields.iter().map(|one| self.name(one.id)).collect();
                format!("({})", parts.join(", "))
            }
            TypeDef::Compact(of) => format!("compact {}", self.name(of.type_param.id)),
            TypeDef::Primitive(of) => format!("{of:?}").to_lowercase(),
            other => panic!("{other:?} has no path"),
        }
    }

    fn fields(&self, fields: &[Field<PortableForm>]) -> String {
        let field = |one: &Field<PortableForm>| {
            let ty = self.name(one.ty.id);
            one.name.as_ref().map_or(ty.clone(), |name| format!("{name}: {ty}"))
        };
        fields.iter().map(field).collect::<Vec<_>>().join(", ")
    }

    fn variant(&self, variant: &Variant<PortableForm>) -> String {
        format!("  {} {}({})", variant.index, variant.name, self.fields(&variant.fields))
    }

    fn modules(&mut self, metadata: &RuntimeMetadataV16) {
        for pallet in &metadata.pallets {
            self.line(format!("module {} {}", pallet.index, pallet.name));
            let enums = [
                ("calls", pallet.calls.as_ref().map(|one| one.ty.id)),
                ("events", pallet.event.as_ref().map(|one| one.ty.id)),
                ("errors", pallet.error.as_ref().map(|one| one.ty.id)),
            ];
            for (what, ty) in enums {
                let line = ty.map(|ty| format!("  {what} {}", self.name(ty)));
                self.lines.extend(line);
            }
            for entry in pallet.storage.iter().flat_map(|storage| &storage.entries) {
                let ty = match &entry.ty {
                    StorageEntryType::Plain(value) => self.name(value.id),
                    StorageEntryType::Map { hashers, key, value } => {
                        format!("{hashers:?} {} => {}", self.name(key.id), self.name(value.id))
                    }
                };
                self.line(format!("  storage {} {:?} {ty}", entry.name, entry.modifier));
            }
            for constant in &pallet.constants {
                let ty = self.name(constant.ty.id);
                self.line(format!("  constant {}: {ty}", constant.name));
            }
        }
    }

    fn frame(&mut self, metadata: &RuntimeMetadataV16) {
        let extrinsic = &metadata.extrinsic;
        self.line(format!("extrinsic {:?}", extrinsic.versions));
        for one in &extrinsic.transaction_extensions {
            let (ty, implicit) = (self.name(one.ty.id), self.name(one.implicit.id));
            self.line(format!("  {}: {ty}, signed {implicit}", one.identifier));
        }
        for api in &metadata.apis {
            self.line(format!("api {} {}", api.name, api.version.0));
            for method in &api.methods {
                let inputs = method.inputs.iter();
                let inputs: Vec<String> =
                    inputs.map(|one| format!("{}: {}", one.name, self.name(one.ty.id))).collect();
                let output = self.name(method.output.id);
                self.line(format!("  {}({}) -> {output}", method.name, inputs.join(", ")));
            }
        }
    }

    /// Every type with a path, by name: its number is of no importance.
    fn all_types(&mut self) {
        let with_path = self.types.types.iter().filter(|one| !one.ty.path.segments.is_empty());
        let mut written: Vec<Vec<String>> = with_path
            .map(|one| {
                let name = self.name(one.id);
                match &one.ty.type_def {
                    TypeDef::Composite(def) => vec![format!("type {name} ({})", self.fields(&def.fields))],
                    TypeDef::Variant(def) => {
                        let variants = def.variants.iter().map(|variant| self.variant(variant));
                        std::iter::once(format!("type {name}")).chain(variants).collect()
                    }
                    other => vec![format!("type {name} = {other:?}")],
                }
            })
            .collect();
        written.sort();
        self.lines.extend(written.into_iter().flatten());
    }
}
