//! A mistake in the manifest: code, words, place and fix.
//!
//! It decides nothing. Codes are stable: a number is never given a second meaning.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};

/// The file that a manifest was read from.
#[derive(Clone)]
pub struct Source(Arc<NamedSource<Arc<str>>>);

impl Source {
    /// Keeps a file's name and text.
    pub fn new(name: &str, text: &str) -> Self {
        Self(Arc::new(NamedSource::new(name, Arc::from(text))))
    }

    /// Returns the file's name, as the user gave it.
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// Returns the file's text.
    pub fn text(&self) -> &str {
        self.0.inner()
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({:?})", self.name())
    }
}

/// One mistake, or one hint.
#[derive(Clone, Debug)]
pub struct Problem {
    code: Code,
    message: String,
    source: Source,
    label: String,
    span: Range<usize>,
    also: Option<(Range<usize>, String)>,
    fix: String,
}

impl Problem {
    /// Makes a problem at `span`; `label` is written under the underlined text.
    pub(crate) fn new(source: &Source, code: Code, span: Range<usize>, message: String) -> Self {
        Self {
            code,
            message,
            source: source.clone(),
            label: "here".to_owned(),
            span,
            also: None,
            fix: String::new(),
        }
    }

    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    pub(crate) fn also(mut self, span: Range<usize>, label: impl Into<String>) -> Self {
        self.also = Some((span, label.into()));
        self
    }

    pub(crate) fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = fix.into();
        self
    }

    /// Returns the problem's code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// Returns whether the manifest is refused for it.
    pub fn is_error(&self) -> bool {
        self.code.is_error()
    }

    /// Returns what is wrong, as a lower-case fragment.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns what to do.
    pub fn advice(&self) -> &str {
        &self.fix
    }

    /// Returns the bytes that it is about.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Returns the file that it is in.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Returns line and column of the first byte.
    ///
    /// Units: both count from 1; columns are characters.
    pub fn position(&self) -> (usize, usize) {
        let before = self
            .source
            .text()
            .get(..self.span.start)
            .unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before
            .rsplit('\n')
            .next()
            .map_or(0, |tail| tail.chars().count())
            + 1;
        (line, column)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

impl Diagnostic for Problem {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.code))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(if self.is_error() {
            miette::Severity::Error
        } else {
            miette::Severity::Warning
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        (!self.fix.is_empty()).then(|| Box::new(&self.fix) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&*self.source.0)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let main = LabeledSpan::new_primary_with_span(Some(self.label.clone()), self.span.clone());
        let also = self
            .also
            .as_ref()
            .map(|(span, label)| LabeledSpan::new_with_span(Some(label.clone()), span.clone()));
        Some(Box::new(std::iter::once(main).chain(also)))
    }
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal $kind:ident,)+) => {
        /// The code of a problem. Stable: a number keeps its meaning for ever.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Code {
            /// Every code, by number.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// Returns the code as it is printed, such as `H0003`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// Returns the one line that the reference says of it.
            pub fn summary(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+).trim_ascii(),)+ }
            }

            /// Returns whether a manifest with it is refused; a hint lets it pass.
            pub fn is_error(self) -> bool {
                match self { $(Self::$name => codes!(@ $kind),)+ }
            }
        }
    };
    (@ error) => { true };
    (@ hint) => { false };
}

codes! {
    /// The text is not TOML.
    Syntax = "H0001" error,
    /// A key or a table is given twice.
    DuplicateKey = "H0002" error,
    /// A key that the manifest does not have.
    UnknownKey = "H0003" error,
    /// A value of the wrong type.
    WrongType = "H0004" error,
    /// A key that must be there is not.
    MissingKey = "H0005" error,
    /// A name with characters or a length that AWS refuses.
    BadName = "H0006" error,
    /// An account that is not twelve digits.
    BadAccount = "H0007" error,
    /// An address that no region can listen on.
    BadAddress = "H0008" error,
    /// A port number that is out of range, or used twice in one region.
    BadPort = "H0009" error,
    /// Two own region names whose numbers collide.
    RegionNumberCollision = "H0010" error,
    /// Two regions that would listen on the same address and port.
    AddressTwice = "H0011" error,
    /// A duration without a unit, or with one that is not known.
    BadDuration = "H0012" error,
    /// A memory size that is not understood.
    BadSize = "H0013" error,
    /// A number or duration outside its bounds.
    OutOfRange = "H0014" error,
    /// A key schema that a table cannot have.
    BadKeySchema = "H0015" error,
    /// A region that `[regions]` does not have.
    UnknownRegion = "H0016" error,
    /// A route to a function that is not there.
    UnknownFunction = "H0017" error,
    /// A route key that is neither `METHOD /path` nor `$default`.
    BadRouteKey = "H0018" error,
    /// A route target that is neither `function:NAME` nor a URL.
    BadRouteTarget = "H0019" error,
    /// Two routes that match the same requests.
    OverlappingRoutes = "H0020" error,
    /// A health path that does not start with a slash.
    BadHealthPath = "H0021" error,
    /// A health path that starts with a stage's name.
    StageInHealthPath = "H0022" error,
    /// A health check of the name whose answers depend on it.
    HealthOnGlobalName = "H0023" error,
    /// A feature that is known and not offered.
    Unsupported = "H0024" error,
    /// A client network that is not in CIDR notation.
    BadSubnet = "H0025" error,
    /// Two groups of clients with the same network.
    SubnetTwice = "H0026" error,
    /// A tag that DynamoDB refuses.
    BadTag = "H0027" error,
    /// An environment that Lambda refuses.
    BadEnvironment = "H0028" error,
    /// More entries than a manifest may have.
    TooMany = "H0029" error,
    /// One of a closed set of words was expected.
    UnknownWord = "H0030" error,
    /// A file or folder that cannot be read.
    UnreadablePath = "H0031" error,
    /// A port that another program holds, or an address that is not this machine's.
    PortTaken = "H0032" error,
    /// A time to live that dominates the time to fail over.
    TtlDominates = "H0033" hint,
    /// A health check that notices a dead region late.
    SlowDetection = "H0034" hint,
    /// A health check that one lost probe turns.
    HastyVerdict = "H0035" hint,
    /// A domain without a health check never leaves a dead region.
    NoHealth = "H0036" hint,
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
