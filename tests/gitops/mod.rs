//! What GitOps tools make of every kind in every situation, each by its own engine over the same objects.

mod argo_cd;
mod flux;
mod kstatus;
mod notice;
mod pipeline;
mod table;
mod written;
