//! The resource of a path, and its method.
//!
//! A literal part comes before a variable one, and a variable one before a greedy one (`{proxy+}`).
//! A resource without the method does not hide a less specific one that has it. (Captured on AWS: a
//! sibling `{proxy+}` answers the methods that a literal resource lacks.) A slash at the end does
//! not count.

use super::gateway_response::{Refused, ResponseType};
use crate::definition::Definition;
use crate::exchange::Exchange;
use crate::program::Endpoint;
use cloud_core::percent;
use std::collections::HashMap;
use std::sync::Arc;

/// The methods that `ANY` means.
const ANY: [&str; 7] = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

/// The tree of an API's resources.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    nodes: Vec<Node>,
    /// The places of resources in `nodes`.
    places: HashMap<String, usize>,
}

#[derive(Debug, Default)]
struct Node {
    literals: HashMap<String, usize>,
    /// The child whose part is `{name}`.
    variable: Option<(String, usize)>,
    /// The child whose part is `{name+}`.
    greedy: Option<(String, usize)>,
    methods: HashMap<String, Arc<Endpoint>>,
}

impl Routes {
    /// The resources of an API, without methods yet.
    pub(crate) fn new(definition: &Definition) -> Self {
        let mut routes = Self::default();
        for id in definition.resources.keys() {
            routes.places.insert(id.clone(), routes.nodes.len());
            routes.nodes.push(Node::default());
        }
        for (id, node) in &definition.resources {
            let (Some(parent), Some(&place)) = (&node.parent, routes.places.get(id)) else {
                continue;
            };
            let Some(&parent) = routes.places.get(parent) else {
                continue;
            };
            let part = node.path_part.as_str();
            let name = part
                .strip_prefix('{')
                .and_then(|part| part.strip_suffix('}'));
            let parent = &mut routes.nodes[parent];
            match name.map(|name| (name.strip_suffix('+'), name)) {
                None => {
                    parent.literals.insert(part.to_owned(), place);
                }
                Some((Some(name), _)) => parent.greedy = Some((name.to_owned(), place)),
                Some((None, name)) => parent.variable = Some((name.to_owned(), place)),
            }
        }
        // The root comes first, whatever its id is.
        let root = definition
            .resources
            .iter()
            .find(|(_, node)| node.parent.is_none())
            .and_then(|(id, _)| routes.places.get(id).copied());
        if let Some(root) = root {
            routes.places.insert(String::new(), root);
        }
        routes
    }

    pub(crate) fn add(&mut self, resource: &str, http_method: &str, endpoint: Endpoint) {
        if let Some(&place) = self.places.get(resource) {
            self.nodes[place]
                .methods
                .insert(http_method.to_owned(), Arc::new(endpoint));
        }
    }

    pub(crate) fn endpoints(&self) -> impl Iterator<Item = &Arc<Endpoint>> {
        self.nodes.iter().flat_map(|node| node.methods.values())
    }

    /// The endpoint of a path and method, with the path's parameters.
    pub(crate) fn find(
        &self,
        method: &str,
        path: &str,
    ) -> Option<(&Endpoint, Vec<(String, String)>)> {
        let path = path.strip_prefix('/').unwrap_or(path);
        let path = path.strip_suffix('/').unwrap_or(path);
        let parts: Vec<&str> = if path.is_empty() {
            Vec::new()
        } else {
            path.split('/').collect()
        };
        let root = *self.places.get("")?;
        let mut taken = Vec::new();
        let endpoint = self.walk(root, method, &parts, &mut taken)?;
        let parameters = taken
            .into_iter()
            .map(|(name, parts)| (name.to_owned(), percent::decode(&parts.join("/"))))
            .collect();
        Some((endpoint, parameters))
    }

    fn walk<'a, 'p>(
        &'a self,
        place: usize,
        method: &str,
        parts: &'p [&'p str],
        taken: &mut Vec<(&'a str, &'p [&'p str])>,
    ) -> Option<&'a Endpoint> {
        let node = self.nodes.get(place)?;
        let Some((part, rest)) = parts.split_first() else {
            return node.endpoint(method);
        };
        if let Some(&child) = node.literals.get(*part)
            && let Some(found) = self.walk(child, method, rest, taken)
        {
            return Some(found);
        }
        if let Some((name, child)) = &node.variable
            && !part.is_empty()
        {
            taken.push((name, &parts[..1]));
            if let Some(found) = self.walk(*child, method, rest, taken) {
                return Some(found);
            }
            taken.pop();
        }
        if let Some((name, child)) = &node.greedy {
            let found = self.nodes.get(*child)?.endpoint(method)?;
            taken.push((name, parts));
            return Some(found);
        }
        None
    }
}

impl Node {
    fn endpoint(&self, method: &str) -> Option<&Endpoint> {
        let any = || {
            ANY.contains(&method)
                .then(|| self.methods.get("ANY"))
                .flatten()
        };
        self.methods.get(method).or_else(any).map(|found| &**found)
    }
}

/// Finds the request's method and notes where it was found.
pub(crate) fn find<'a>(
    exchange: &mut Exchange<'_>,
    routes: &'a Routes,
) -> Result<&'a Endpoint, Refused> {
    let Some((endpoint, parameters)) = routes.find(exchange.parts.method.as_str(), exchange.path)
    else {
        return Err(Refused::new(
            ResponseType::MissingAuthenticationToken,
            "Missing Authentication Token",
        ));
    };
    exchange.path_parameters = parameters;
    exchange.context.resource = Some((
        Arc::clone(&endpoint.resource_id),
        Arc::clone(&endpoint.resource_path),
    ));
    Ok(endpoint)
}
