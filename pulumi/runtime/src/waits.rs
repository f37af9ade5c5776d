//! Who waits for whom.
//!
//! A resource that depends on a component waits for all that is under it, also for what the program
//! adds later. When that needs the resource in turn, both wait forever. So each registration notes
//! what it has asked for, and when nothing moves any more, a circle of them is broken.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use crate::engine::lock;

tokio::task_local! {
    /// The registration that a task is about.
    pub(crate) static CURRENT: usize;
}

#[derive(Default)]
pub(crate) struct Waits(Mutex<Graph>);

#[derive(Default)]
struct Graph {
    next: usize,
    /// Those without an answer.
    open: HashMap<usize, Open>,
}

struct Open {
    /// `NAME [TYPE]`.
    subject: String,
    waits_for: HashSet<usize>,
    /// Takes it out of a circle.
    give_up: Option<tokio::sync::oneshot::Sender<()>>,
}

impl Waits {
    /// A new registration. It has to be given up when the receiver says so.
    pub fn open(&self, subject: String) -> (usize, tokio::sync::oneshot::Receiver<()>) {
        let (give_up, given_up) = tokio::sync::oneshot::channel();
        let mut graph = lock(&self.0);
        let id = graph.next;
        graph.next += 1;
        let open = Open {
            subject,
            waits_for: HashSet::new(),
            give_up: Some(give_up),
        };
        graph.open.insert(id, open);
        (id, given_up)
    }

    pub fn close(&self, id: usize) {
        lock(&self.0).open.remove(&id);
    }

    /// Notes that the registration of this task waits for `other`.
    pub fn note(&self, other: usize) {
        // What is no registration is waited for by nobody.
        let _ = CURRENT.try_with(|current| {
            if let Some(open) = lock(&self.0).open.get_mut(current) {
                open.waits_for.insert(other);
            }
        });
    }

    /// Gives up the registrations of one circle, if there is one. Its message.
    pub fn untangle(&self) -> Option<String> {
        let mut graph = lock(&self.0);
        let circle = graph.circle()?;
        let mut subjects = Vec::with_capacity(circle.len());
        for id in circle {
            if let Some(open) = graph.open.get_mut(&id) {
                subjects.push(open.subject.clone());
                // Nobody listens when it has just got its answer.
                let _ = open.give_up.take().map(|give_up| give_up.send(()));
            }
        }
        subjects.sort_unstable();
        Some(format!(
            "these wait for each other, so that none of them can be registered: {}. What depends \
             on a component waits for all that is under it",
            subjects.join(", ")
        ))
    }
}

impl Graph {
    /// One circle among those that are open. Without recursion: rows are long.
    fn circle(&self) -> Option<Vec<usize>> {
        let mut done = HashSet::new();
        for start in self.open.keys() {
            let mut path: Vec<usize> = Vec::new();
            let mut on_path = HashSet::new();
            let mut stack = vec![(*start, 0)];
            while let Some((id, depth)) = stack.pop() {
                while path.len() > depth {
                    let left = path.pop()?;
                    on_path.remove(&left);
                    done.insert(left);
                }
                if on_path.contains(&id) {
                    let from = path.iter().position(|other| *other == id)?;
                    return Some(path.split_off(from));
                }
                if done.contains(&id) {
                    continue;
                }
                let Some(open) = self.open.get(&id) else {
                    continue;
                };
                path.push(id);
                on_path.insert(id);
                stack.extend(open.waits_for.iter().map(|next| (*next, depth + 1)));
            }
            done.extend(path);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(edges: &[(usize, usize)]) -> Waits {
        let waits = Waits::default();
        for id in 0..5 {
            // The receivers are of no use here.
            let _ = waits.open(id.to_string());
        }
        for (from, to) in edges {
            if let Some(open) = lock(&waits.0).open.get_mut(from) {
                open.waits_for.insert(*to);
            }
        }
        waits
    }

    #[test]
    fn a_circle_is_found_and_what_only_waits_for_it_is_not_in_it() {
        let message = graph(&[(0, 1), (1, 2), (2, 3), (3, 1), (4, 0)]).untangle();
        assert!(message.is_some_and(|message| message.contains(": 1, 2, 3. ")));
        assert_eq!(
            graph(&[(0, 1), (0, 2), (1, 3), (2, 3), (4, 0)]).untangle(),
            None
        );
    }
}
