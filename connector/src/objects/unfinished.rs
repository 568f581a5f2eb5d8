//! Parts of objects that runs left which were killed or whose way broke: S3 keeps them, unseen and paid for, until somebody
//! takes them away.

use super::fault::ObjectsFault;
use super::transport::Transport;
use http::{Method, Request};
use object_store::aws::AmazonS3;
use object_store::client::HttpRequestBody;
use object_store::multipart::MultipartStore;
use object_store::path::Path;
use object_store::signer::{SignedUrlOptions, Signer};
use quick_xml::de::from_reader;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;

/// How long the question may be on its way.
const ASK_MAX: Duration = Duration::from_mins(1);

/// Looks for unfinished objects.
pub struct Unfinished {
    objects: Arc<AmazonS3>,
    transport: Transport,
}

/// What a store answers: at most 1,000 of them, the next are for the next run.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
struct Listed {
    #[serde(rename = "Upload", default)]
    uploads: Vec<Begun>,
}

/// An object that was begun.
#[derive(Debug, PartialEq, Eq, Deserialize)]
struct Begun {
    #[serde(rename = "Key")]
    key: String,
    #[serde(rename = "UploadId")]
    id: String,
}

impl Unfinished {
    pub fn new(objects: Arc<AmazonS3>, transport: Transport) -> Self {
        Self { objects, transport }
    }

    /// Takes away all unfinished objects of this name.
    ///
    /// # Errors
    /// When the account may not look for them, or not take them away.
    pub async fn sweep(&self, path: &Path) -> Result<(), ObjectsFault> {
        for id in self.of(path).await? {
            self.objects.abort_multipart(path, &id).await?;
        }
        Ok(())
    }

    async fn of(&self, path: &Path) -> Result<Vec<String>, ObjectsFault> {
        let options = SignedUrlOptions::new().with_query([("uploads", ""), ("prefix", path.as_ref())]);
        let bucket = Path::default();
        let signed = self
            .objects
            .signed_url_opts(Method::GET, &bucket, ASK_MAX, &options);
        let request = Request::get(signed.await?.as_str()).body(HttpRequestBody::empty());
        let request = request.map_err(|_| ObjectsFault::Unsupported)?;
        let answer = self.transport.exchange(request).await?;
        let listed: Listed = from_reader(answer.body().as_ref()).map_err(|_| ObjectsFault::Unsupported)?;
        let ours = listed
            .uploads
            .into_iter()
            .filter(|begun| begun.key == path.as_ref());
        Ok(ours.map(|begun| begun.id).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stores_answer_is_read() {
        let begun = |key: &str, id: &str| Begun {
            key: key.to_owned(),
            id: id.to_owned(),
        };
        let rows = [
            (
                "<ListMultipartUploadsResult><Bucket>b</Bucket></ListMultipartUploadsResult>",
                vec![],
            ),
            (
                "<?xml version=\"1.0\"?><ListMultipartUploadsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
                 <Upload><Key>a/b &amp; c.csv</Key><UploadId>1</UploadId><StorageClass>STANDARD</StorageClass></Upload>\
                 <IsTruncated>false</IsTruncated>\
                 <Upload><Key>d</Key><UploadId>2</UploadId></Upload></ListMultipartUploadsResult>",
                vec![begun("a/b & c.csv", "1"), begun("d", "2")],
            ),
        ];
        for (text, expected) in rows {
            let listed: Listed = from_reader(text.as_bytes()).expect("it can be read");
            assert_eq!(listed.uploads, expected, "{text}");
        }
        assert!(from_reader::<_, Listed>(&b"no XML <"[..]).is_err());
    }
}
