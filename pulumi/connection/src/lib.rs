mod constants;
pub mod output_id;
pub mod pulumi_state;
mod real_pulumi_connector;
#[cfg(test)]
pub(crate) mod test_server;

pub use real_pulumi_connector::RealPulumiConnector;
