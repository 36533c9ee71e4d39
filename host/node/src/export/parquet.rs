//! Parquet: columns are collected for a row group and written together.
//!
//! Decimals are 16 bytes, big-endian, two's complement, with the column's scale: nothing rounds.

use super::{Cell, Column, ExportError, Kind, Sink, What, sync};
use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, FixedLenByteArray, FixedLenByteArrayType, Int64Type,
};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{Type, TypePtr};
use std::fs::File;
use std::io::BufWriter;
use std::sync::Arc;

/// Rows of one group: what is held in memory at a time.
const GROUP_ROWS: usize = 65_536;
/// Bytes and digits of a decimal.
const DECIMAL: (i32, i32) = (16, 38);

/// A Parquet file being written.
pub(super) struct Parquet {
    out: SerializedFileWriter<BufWriter<File>>,
    columns: &'static [Column],
    rows: Vec<Vec<Cell>>,
}

impl Parquet {
    pub(super) fn new(file: BufWriter<File>, what: What) -> Result<Self, ExportError> {
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let out = SerializedFileWriter::new(file, schema(what)?, Arc::new(properties))?;
        Ok(Self { out, columns: what.columns(), rows: Vec::new() })
    }

    fn write_group(&mut self) -> Result<(), ExportError> {
        let mut group = self.out.next_row_group()?;
        for (index, column) in self.columns.iter().enumerate() {
            let cells = self.rows.iter().map(|row| &row[index]);
            let mut writer = group.next_column()?.expect("the schema has these columns");
            write_column(&mut writer, *column, cells)?;
            writer.close()?;
        }
        group.close()?;
        self.rows.clear();
        Ok(())
    }
}

impl Sink for Parquet {
    fn row(&mut self, row: Vec<Cell>) -> Result<(), ExportError> {
        self.rows.push(row);
        if self.rows.len() < GROUP_ROWS { Ok(()) } else { self.write_group() }
    }

    fn finish(mut self: Box<Self>) -> Result<(), ExportError> {
        if !self.rows.is_empty() {
            self.write_group()?;
        }
        sync(self.out.into_inner()?)
    }
}

fn schema(what: What) -> Result<TypePtr, ExportError> {
    let fields = what.columns().iter().map(field).collect::<Result<_, _>>()?;
    Ok(Arc::new(Type::group_type_builder(what.name()).with_fields(fields).build()?))
}

fn field(column: &Column) -> Result<TypePtr, ExportError> {
    let (physical, logical) = match column.kind {
        Kind::Number => (Physical::INT64, Some(LogicalType::integer(64, false))),
        Kind::Flag => (Physical::BOOLEAN, None),
        Kind::Decimal(scale) => {
            (Physical::FIXED_LEN_BYTE_ARRAY, Some(LogicalType::decimal(scale.into(), DECIMAL.1)))
        }
        Kind::Time => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MILLIS))),
        Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
    };
    let mut builder = Type::primitive_type_builder(column.name, physical)
        .with_logical_type(logical)
        .with_repetition(if column.nullable { Repetition::OPTIONAL } else { Repetition::REQUIRED });
    if let Kind::Decimal(scale) = column.kind {
        builder = builder.with_length(DECIMAL.0).with_precision(DECIMAL.1).with_scale(scale.into());
    }
    Ok(Arc::new(builder.build()?))
}

fn write_column<'a>(
    writer: &mut SerializedColumnWriter,
    column: Column,
    cells: impl Iterator<Item = &'a Cell> + Clone,
) -> Result<(), ExportError> {
    let present: Vec<i16> = cells.clone().map(|cell| i16::from(*cell != Cell::None)).collect();
    let levels = column.nullable.then_some(&present[..]);
    match column.kind {
        Kind::Number | Kind::Time => {
            let values: Vec<i64> = cells.filter_map(whole).collect();
            writer.typed::<Int64Type>().write_batch(&values, levels, None)?
        }
        Kind::Flag => {
            let flags = cells.filter_map(|cell| if let Cell::Flag(flag) = cell { Some(*flag) } else { None });
            writer.typed::<BoolType>().write_batch(&flags.collect::<Vec<_>>(), levels, None)?
        }
        Kind::Decimal(_) => {
            let units =
                cells.filter_map(|cell| if let Cell::Decimal(units) = cell { Some(units) } else { None });
            let bytes = units.map(|units| FixedLenByteArray::from(units.to_be_bytes().to_vec()));
            writer.typed::<FixedLenByteArrayType>().write_batch(&bytes.collect::<Vec<_>>(), levels, None)?
        }
        Kind::Text => {
            let texts = cells.filter_map(|cell| if let Cell::Text(text) = cell { Some(text) } else { None });
            let bytes: Vec<ByteArray> = texts.map(|text| ByteArray::from(text.as_str())).collect();
            writer.typed::<ByteArrayType>().write_batch(&bytes, levels, None)?
        }
    };
    Ok(())
}

/// The 64 bits of a number or a time.
const fn whole(cell: &Cell) -> Option<i64> {
    match cell {
        Cell::Number(number) => Some(number.cast_signed()),
        Cell::Time(time) => Some(time.ms().cast_signed()),
        _ => None,
    }
}
