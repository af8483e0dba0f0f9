//! The facts of the model, read once from the text that `cargo xtask model` writes.
//!
//! Nothing is checked here; what the service does beyond its model stands elsewhere.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::service;
use crate::operations::{OPERATIONS, Support};

/// Operations and shapes of both services.
#[derive(Debug)]
pub(crate) struct Model {
    /// By name, sorted.
    operations: Vec<Operation>,
    shapes: Vec<Shape>,
}

/// An operation.
#[derive(Debug)]
pub(crate) struct Operation {
    /// Its name, unlike that of any other operation of either service.
    pub(crate) name: &'static str,
    /// What stands before the dot of `X-Amz-Target`.
    pub(crate) target: &'static str,
    /// What its request is made of.
    pub(crate) input: ShapeId,
    /// The exceptions that are its own.
    #[cfg_attr(not(test), expect(dead_code, reason = "tests hold answers against it"))]
    pub(crate) errors: Vec<&'static str>,
    /// What becomes of a call; `None` where the table of operations lacks it.
    pub(crate) support: Option<Support>,
}

/// Where a shape stands in its model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ShapeId(pub(crate) usize);

/// What a value is made of.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
}

/// Of which kind a value is, and what holds of it.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Structure(Vec<Member>),
    List {
        bounds: Bounds,
        element: ShapeId,
    },
    Map {
        bounds: Bounds,
        key: ShapeId,
        value: ShapeId,
    },
    Text {
        bounds: Bounds,
        pattern: Option<&'static str>,
    },
    /// A table's name or ARN.
    Table {
        /// The least length of a name.
        min: i64,
    },
    Choice(Vec<&'static str>),
    Integer(Bounds),
    Long(Bounds),
    Double,
    Truth,
    Time,
    Blob,
}

impl Kind {
    /// Returns a structure's members; those of anything else are none.
    pub(crate) fn members(&self) -> &[Member] {
        if let Self::Structure(members) = self {
            members
        } else {
            &[]
        }
    }

    /// Returns a list's bounds and its elements' shape.
    pub(crate) fn list(&self) -> Option<(Bounds, ShapeId)> {
        if let Self::List { bounds, element } = self {
            Some((*bounds, *element))
        } else {
            None
        }
    }
}

/// A member of a structure.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) name: &'static str,
    pub(crate) required: bool,
    pub(crate) shape: ShapeId,
    /// In which words it is told that a constraint of it is broken.
    pub(crate) told: Told,
    /// What is told where it is absent or empty, where that has words of its own.
    pub(crate) missing: Option<&'static str>,
}

/// In which words it is told that a constraint is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// In those of the node's setting.
    AsSet,
    /// In the newer ones, whatever the setting.
    Newer,
}

/// The least and the greatest length or value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) min: Option<i64>,
    pub(crate) max: Option<i64>,
}

impl Model {
    /// Returns the facts that this build has.
    pub(crate) fn get() -> &'static Self {
        static MODEL: LazyLock<Model> = LazyLock::new(|| Model::parse(include_str!("facts.txt")));
        &MODEL
    }

    /// Returns an operation of the service with a target prefix.
    pub(crate) fn operation(&self, target: &str, name: &str) -> Option<&Operation> {
        let at = self
            .operations
            .binary_search_by(|operation| operation.name.cmp(name));
        let operation = self.operations.get(at.ok()?)?;
        (operation.target == target).then_some(operation)
    }

    /// Returns all operations, sorted by name.
    pub(crate) fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// Returns a shape.
    pub(crate) fn shape(&self, id: ShapeId) -> &Shape {
        &self.shapes[id.0]
    }

    /// Returns a shape, to be amended.
    pub(super) fn shape_mut(&mut self, id: ShapeId) -> &mut Shape {
        &mut self.shapes[id.0]
    }

    /// Returns all shapes, to be amended.
    pub(super) fn shapes_mut(&mut self) -> impl Iterator<Item = &mut Shape> {
        self.shapes.iter_mut()
    }

    /// Returns the first shape of a name.
    pub(super) fn named(&self, name: &str) -> Option<ShapeId> {
        self.shapes
            .iter()
            .position(|shape| shape.name == name)
            .map(ShapeId)
    }

    /// Adds a shape.
    pub(super) fn add(&mut self, name: &'static str, kind: Kind) -> ShapeId {
        self.shapes.push(Shape { name, kind });
        ShapeId(self.shapes.len() - 1)
    }

    /// Reads the facts; the build's own text is known to be whole, which a test shows.
    fn parse(text: &'static str) -> Self {
        let mut model = Self {
            operations: Vec::new(),
            shapes: Vec::new(),
        };
        for service in text.split("\nservice ").skip(1) {
            model.add_service(service);
        }
        model.operations.sort_by_key(|operation| operation.name);
        service::amend(&mut model);
        model
    }

    fn add_service(&mut self, text: &'static str) {
        let mut lines = text.lines();
        let target = lines.next().unwrap_or_default();
        let is_shape = |line: &&str| !line.starts_with([' ', '#']) && !line.is_empty();
        let named = lines.clone().filter(is_shape).filter_map(|line| {
            let (kind, rest) = line.split_once(' ')?;
            (kind != "operation").then(|| rest.split(' ').next())?
        });
        // Both services have shapes of the same name: each sees its own alone.
        let first = self.shapes.len();
        let ids = named.zip(first..).collect::<BTreeMap<&str, usize>>();
        let id = |name: Option<&str>| ShapeId(*ids.get(name.unwrap_or_default()).unwrap_or(&first));
        for line in lines {
            let mut words = line.split_whitespace();
            let (head, name) = (words.next().unwrap_or_default(), words.next());
            if let Some(member) = line.strip_prefix("  ") {
                let (name, shape) = member.split_once(' ').unwrap_or((member, ""));
                let member = Member {
                    name: name.trim_end_matches('!'),
                    required: name.ends_with('!'),
                    shape: id(Some(shape)),
                    told: Told::AsSet,
                    missing: None,
                };
                if let Some(Shape {
                    kind: Kind::Structure(members),
                    ..
                }) = self.shapes.last_mut()
                {
                    members.push(member);
                }
                continue;
            }
            let Some(name) = name.filter(|_| head != "#") else {
                continue;
            };
            if head == "operation" {
                self.operations.push(Operation {
                    name,
                    target,
                    input: id(words.next()),
                    errors: words.collect(),
                    support: support(name),
                });
                continue;
            }
            let kind = match head {
                "enum" => Kind::Choice(words.collect()),
                "list" => Kind::List {
                    bounds: Bounds::parse(words.next()),
                    element: id(words.next()),
                },
                "map" => Kind::Map {
                    bounds: Bounds::parse(words.next()),
                    key: id(words.next()),
                    value: id(words.next()),
                },
                "string" => Kind::Text {
                    bounds: Bounds::parse(words.next()),
                    // The rest of the line: a pattern may hold spaces.
                    pattern: line.splitn(4, ' ').nth(3),
                },
                "integer" => Kind::Integer(Bounds::parse(words.next())),
                "long" => Kind::Long(Bounds::parse(words.next())),
                "double" => Kind::Double,
                "boolean" => Kind::Truth,
                "timestamp" => Kind::Time,
                "blob" => Kind::Blob,
                _ => Kind::Structure(Vec::new()),
            };
            self.shapes.push(Shape { name, kind });
        }
    }
}

impl Bounds {
    fn parse(text: Option<&str>) -> Self {
        let (min, max) = text
            .unwrap_or_default()
            .split_once("..")
            .unwrap_or_default();
        Self {
            min: min.parse().ok(),
            max: max.parse().ok(),
        }
    }
}

fn support(name: &str) -> Option<Support> {
    let found = OPERATIONS.iter().find(|operation| operation.0 == name);
    found.map(|(_, support)| *support)
}
