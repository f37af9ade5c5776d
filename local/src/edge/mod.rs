//! The listeners: AWS's protocols, deployed APIs, and sites. Loopback only.
