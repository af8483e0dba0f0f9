//! One connection for inquiries: a question, its answer, and the next, on either side.
//!
//! It compares nothing.

use std::future::Future;
use std::io;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsStream;

use replica_core::inquiry::{Answer, Question};
use replica_core::limits::{FRAME_BYTES_MAX, QUESTION_BYTES_MAX};
use replica_core::record::WireError;
use replica_core::vector::VersionVector;
use store::port::Store;
use table::tables::Tables;

use crate::connection::Connection;
use crate::limits::{CATCH_UP, INBOUND_BYTES, INQUIRY_PATIENCE};
use crate::wire::Wire;

/// A connection on which one side asks and the other answers.
pub(crate) struct Line {
    stream: TlsStream<Wire>,
    inbound: BytesMut,
}

/// A line that cannot be used on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LineError {
    /// It broke, or the other side closed it.
    #[error("the connection for the inquiry broke: {0}")]
    Io(#[from] io::Error),
    /// What came is neither a question nor an answer.
    #[error("read an inquiry: {0}")]
    Wire(#[from] WireError),
    /// Nothing came, or nothing was taken.
    #[error("no answer within {INQUIRY_PATIENCE:?}")]
    Late,
}

impl Line {
    pub(crate) fn new(connection: Connection) -> Self {
        let (stream, inbound) = connection.into_stream();
        Self { stream, inbound }
    }

    /// Asks, and returns what is answered.
    ///
    /// Errors: [`LineError`].
    pub(crate) async fn ask(&mut self, question: &Question) -> Result<Answer, LineError> {
        let mut outbound = BytesMut::new();
        question.encode(&mut outbound);
        self.write(outbound).await?;
        let bound = FRAME_BYTES_MAX.as_len();
        let patience = INQUIRY_PATIENCE + CATCH_UP;
        let heard = self.hear(|buf| Answer::take(buf, bound));
        let heard = tokio::time::timeout(patience, heard).await;
        heard.unwrap_or(Err(LineError::Late))
    }

    /// Returns the next question.
    ///
    /// Errors: [`LineError`].
    pub(crate) async fn question(&mut self) -> Result<Question, LineError> {
        let bound = QUESTION_BYTES_MAX.as_len();
        in_time(self.hear(|buf| Question::take(buf, bound))).await
    }

    /// Answers the last question.
    ///
    /// Errors: [`LineError`].
    pub(crate) async fn answer(&mut self, answer: &Answer) -> Result<(), LineError> {
        let mut outbound = BytesMut::new();
        answer.encode(&mut outbound);
        self.write(outbound).await
    }

    async fn write(&mut self, mut outbound: BytesMut) -> Result<(), LineError> {
        in_time(async {
            self.stream.write_all_buf(&mut outbound).await?;
            Ok(self.stream.flush().await?)
        })
        .await
    }

    async fn hear<T>(
        &mut self,
        take: impl Fn(&mut BytesMut) -> Result<Option<T>, WireError>,
    ) -> Result<T, LineError> {
        loop {
            if let Some(heard) = take(&mut self.inbound)? {
                return Ok(heard);
            }
            self.inbound.reserve(INBOUND_BYTES);
            if self.stream.read_buf(&mut self.inbound).await? == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
        }
    }
}

async fn in_time<T>(what: impl Future<Output = Result<T, LineError>>) -> Result<T, LineError> {
    let done = tokio::time::timeout(INQUIRY_PATIENCE, what).await;
    done.unwrap_or(Err(LineError::Late))
}

/// Waits until all of `vector` is applied here, but not for long.
pub(crate) async fn catch_up<S: Store>(tables: &Tables<S>, vector: &VersionVector) {
    let mut progress = tables.progress();
    let applied = async {
        while !tables.applied().covers(vector) {
            if progress.changed().await.is_err() {
                return;
            }
        }
    };
    let _too_late = tokio::time::timeout(CATCH_UP, applied).await;
}
