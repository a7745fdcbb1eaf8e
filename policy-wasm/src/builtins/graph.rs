//! Paths through a graph given as an object from each vertex to its neighbours.

use std::collections::{BTreeMap, BTreeSet};

use super::{Family, Fault, Outcome, Scope, operand};
use crate::value::Value;

pub(super) const FAMILY: Family = &[("graph.reachable_paths", reachable_paths)];

/// Vertices on all paths together: their number grows with the factorial of the graph.
const VERTICES_MAX: usize = 50_000;
const PATH_VERTICES_MAX: usize = 512;
const TOO_MANY: Fault = Fault::Halt("the graph has too many paths");

/// All paths from the given vertices; one ends where it would come round again or where it leaves the graph.
fn reachable_paths(_: &mut Scope, operands: &[Value]) -> Outcome {
    let graph = operand::object(operands, 0)?;
    let mut walk = Walk { graph, vertices: 0, paths: BTreeSet::new() };
    for start in operand::collection(operand::any(operands, 1)?)? {
        let Some(edges) = graph.get(start) else { continue };
        let mut path = vec![start.clone()];
        let edges = neighbours(edges);
        if edges.is_empty() {
            walk.ends(&path)?;
        }
        for next in edges {
            walk.step(next, &mut path)?;
        }
    }
    Ok(Value::Set(walk.paths))
}

struct Walk<'a> {
    graph: &'a BTreeMap<Value, Value>,
    vertices: usize,
    paths: BTreeSet<Value>,
}

impl Walk<'_> {
    fn step(&mut self, vertex: &Value, path: &mut Vec<Value>) -> Result<(), Fault> {
        let Some(edges) = self.graph.get(vertex) else { return self.ends(path) };
        if path.len() == PATH_VERTICES_MAX {
            return Err(TOO_MANY);
        }
        path.push(vertex.clone());
        let edges = neighbours(edges);
        if edges.is_empty() {
            self.ends(path)?;
        }
        for next in edges {
            match path.contains(next) {
                true => self.ends(path)?,
                false => self.step(next, path)?,
            }
        }
        path.pop();
        Ok(())
    }

    fn ends(&mut self, path: &[Value]) -> Result<(), Fault> {
        self.vertices += path.len();
        if self.vertices > VERTICES_MAX {
            return Err(TOO_MANY);
        }
        self.paths.insert(path.iter().cloned().collect());
        Ok(())
    }
}

/// Anything but an array or a set has no neighbours.
fn neighbours(edges: &Value) -> Vec<&Value> {
    operand::collection(edges).unwrap_or_default()
}
