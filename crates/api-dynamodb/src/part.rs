//! What is answered of an item: all of it, or a part.
//!
//! It reads no item. Source: DynamoDB developer guide, "Projection expressions", and "PartiQL
//! select statements" (projection).

use expr::projection::Projection;
use item::codec;
use partiql::plan::List;

use crate::fault::Refused;
use crate::wire::render;

/// What is answered of an item.
#[derive(Debug)]
pub(crate) enum Part {
    /// All of it.
    Whole,
    /// Its shape, with nothing in it that was not asked for.
    Projected(Projection),
    /// Single values of it, each by a name.
    Listed(List),
}

impl Part {
    /// Returns the part that a statement lists. Whole attributes are projected: that decodes
    /// nothing.
    pub(crate) fn of_list(list: List) -> Self {
        match &list {
            List::Star => Self::Whole,
            List::Paths(paths) if paths.iter().all(|one| one.path.steps().is_empty()) => {
                list.projection().map_or(Self::Whole, Self::Projected)
            }
            List::Paths(_) => Self::Listed(list),
        }
    }

    /// Writes the part of a stored item; an empty one where the item has nothing of it.
    pub(crate) fn write(&self, out: &mut Vec<u8>, image: &[u8]) -> Result<(), Refused> {
        match self {
            Self::Whole => write(out, image, None),
            Self::Projected(projection) => write(out, image, Some(projection)),
            Self::Listed(list) => Ok(render::tree(out, &list.of(&codec::decode(image)?))?),
        }
    }
}

impl From<Option<Projection>> for Part {
    fn from(projection: Option<Projection>) -> Self {
        projection.map_or(Self::Whole, Self::Projected)
    }
}

/// Writes all of a stored item, or what a projection leaves of it.
pub(crate) fn write(
    out: &mut Vec<u8>,
    image: &[u8],
    projection: Option<&Projection>,
) -> Result<(), Refused> {
    match projection {
        None => render::item(out, image)?,
        Some(projection) => drop(render::projected(out, image, projection)?),
    }
    Ok(())
}
