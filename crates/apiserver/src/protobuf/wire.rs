//! The wire format: numbered fields of four shapes. Source: protobuf.dev, "Encoding".

/// One field's content.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Datum<'a> {
    Integer(u64),
    Fixed64(u64),
    Fixed32(u32),
    Bytes(&'a [u8]),
}

impl<'a> Datum<'a> {
    pub fn bytes(self) -> Result<&'a [u8], String> {
        match self {
            Datum::Bytes(bytes) => Ok(bytes),
            _ => Err("expected bytes".to_owned()),
        }
    }

    pub fn text(self) -> Result<String, String> {
        let text = std::str::from_utf8(self.bytes()?).map_err(|error| error.to_string())?;
        Ok(text.to_owned())
    }

    /// Negative numbers are written as their two's complement of 64 bits.
    pub fn integer(self) -> Result<i64, String> {
        match self {
            Datum::Integer(number) => Ok(number.cast_signed()),
            _ => Err("expected a number".to_owned()),
        }
    }

    pub fn float(self) -> Result<f64, String> {
        match self {
            Datum::Fixed64(bits) => Ok(f64::from_bits(bits)),
            Datum::Fixed32(bits) => Ok(f32::from_bits(bits).into()),
            _ => Err("expected a floating-point number".to_owned()),
        }
    }
}

/// Returns the fields of a message, in their order.
///
/// **Errors:** the message ends too early, or has a shape that Kubernetes does not use.
pub(super) fn fields(mut bytes: &[u8]) -> Result<Vec<(u32, Datum<'_>)>, String> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes)?;
        let number = u32::try_from(tag >> 3).map_err(|error| error.to_string())?;
        let datum = match tag & 7 {
            0 => Datum::Integer(varint(&mut bytes)?),
            1 => Datum::Fixed64(u64::from_le_bytes(array(&mut bytes)?)),
            2 => {
                let length = usize::try_from(varint(&mut bytes)?).map_err(|error| error.to_string())?;
                Datum::Bytes(take(&mut bytes, length)?)
            }
            5 => Datum::Fixed32(u32::from_le_bytes(array(&mut bytes)?)),
            other => return Err(format!("wire type {other} is not known")),
        };
        found.push((number, datum));
    }
    Ok(found)
}

fn varint(bytes: &mut &[u8]) -> Result<u64, String> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let [byte] = array(bytes)?;
        number |= u64::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err("a number is too long".to_owned())
}

fn array<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], String> {
    take(bytes, N)?.try_into().map_err(|_| ended())
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Result<&'a [u8], String> {
    let (taken, rest) = bytes.split_at_checked(length).ok_or_else(ended)?;
    *bytes = rest;
    Ok(taken)
}

fn ended() -> String {
    "unexpected end of the message".to_owned()
}
