//! The automaton of Aho and Corasick over some forms, driven byte by byte.
//!
//! It is our own because a state has to tell how much of a form it has seen, which is what a stream must hold back,
//! and because the forms are secret: everything in here is wiped when dropped.

use zeroize::{Zeroize, Zeroizing};

use super::sieve::Sieve;

/// Where no form has begun.
pub(crate) const ROOT: State = State(0);

/// What has been seen of all forms: a place in the automaton that gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct State(u32);

/// Finds all forms at once. One byte costs the same whatever was seen before, but for a constant.
pub(crate) struct Automaton {
    /// The nodes of the tree of all beginnings. One that was added right after its parent is the parent's neighbour.
    nodes: Zeroizing<Vec<Node>>,
    /// The root's children by byte; 0 is none.
    first: Zeroizing<Vec<u32>>,
    /// Children that are no neighbours; a few, near the root.
    branches: Zeroizing<Vec<Branch>>,
    sieve: Sieve,
    form_bytes_min: usize,
}

#[derive(Clone, Copy, Zeroize)]
struct Node {
    /// The longest other beginning that ends as this one does.
    fallback: u32,
    /// How long this beginning is.
    depth: u32,
    byte: u8,
    marks: u8,
}

#[derive(Clone, Copy, Zeroize)]
struct Branch {
    parent: u32,
    child: u32,
}

/// The next node is a child.
const CONTINUES: u8 = 1;
/// There are children among the branches.
const BRANCHES: u8 = 2;
/// A form is whole here.
const WHOLE: u8 = 4;
/// A form is whole somewhere on the way of fallbacks.
const WHOLE_WITHIN: u8 = 8;

impl Automaton {
    /// Of forms that are all longer than three bytes.
    pub(super) fn of(forms: &[Zeroizing<Vec<u8>>]) -> Self {
        // room for all, so that growing leaves no copy behind
        let room = 1 + forms.iter().map(|form| form.len()).sum::<usize>();
        let mut automaton = Self {
            nodes: Zeroizing::new(Vec::with_capacity(room)),
            first: Zeroizing::new(vec![0; 256]),
            branches: Zeroizing::new(Vec::with_capacity(forms.len())),
            sieve: Sieve::of(forms),
            form_bytes_min: forms.iter().map(|form| form.len()).min().unwrap_or(usize::MAX),
        };
        automaton.nodes.push(Node { fallback: 0, depth: 0, byte: 0, marks: 0 });
        forms.iter().for_each(|form| automaton.add(form));
        automaton.link();
        automaton
    }

    /// The state after one more byte.
    pub(crate) fn next(&self, state: State, byte: u8) -> State {
        let mut at = state.0;
        while at != 0 {
            if let Some(child) = self.child(at, byte) {
                return State(child);
            }
            at = self.nodes[at as usize].fallback;
        }
        State(self.first[usize::from(byte)])
    }

    /// How many bytes before this state could still become a form.
    pub(crate) fn depth(&self, state: State) -> usize {
        self.nodes[state.0 as usize].depth as usize
    }

    /// The length of the longest form that ends here; 0 for none.
    pub(crate) fn found(&self, state: State) -> usize {
        let mut node = &self.nodes[state.0 as usize];
        while node.marks & (WHOLE | WHOLE_WITHIN) != 0 {
            if node.marks & WHOLE != 0 {
                return node.depth as usize;
            }
            node = &self.nodes[node.fallback as usize];
        }
        0
    }

    /// The first place in `text`, from `at`, where a form could begin.
    pub(crate) fn skip(&self, text: &[u8], mut at: usize) -> usize {
        loop {
            at = self.sieve.skip(text, at);
            match text.get(at) {
                Some(byte) if !self.begins(*byte) => at += 1,
                Some(_) | None => return at,
            }
        }
    }

    /// Whether a form begins with `byte`.
    pub(crate) fn begins(&self, byte: u8) -> bool {
        self.first[usize::from(byte)] != 0
    }

    /// The length of the shortest form.
    pub(crate) fn form_bytes_min(&self) -> usize {
        self.form_bytes_min
    }

    fn child(&self, parent: u32, byte: u8) -> Option<u32> {
        let marks = self.nodes[parent as usize].marks;
        if marks & CONTINUES != 0 && self.nodes[parent as usize + 1].byte == byte {
            return Some(parent + 1);
        }
        if marks & BRANCHES == 0 {
            return None;
        }
        self.branches_of(parent).find(|child| self.nodes[*child as usize].byte == byte)
    }

    fn branches_of(&self, parent: u32) -> impl Iterator<Item = u32> {
        self.branches.iter().filter(move |branch| branch.parent == parent).map(|branch| branch.child)
    }

    fn add(&mut self, form: &[u8]) {
        let mut at = 0;
        for (depth, &byte) in (1..).zip(form) {
            let known = match at {
                0 => Some(self.first[usize::from(byte)]).filter(|child| *child != 0),
                at => self.child(at, byte),
            };
            at = known.unwrap_or_else(|| self.grow(at, byte, depth));
        }
        self.nodes[at as usize].marks |= WHOLE;
    }

    fn grow(&mut self, parent: u32, byte: u8, depth: u32) -> u32 {
        let child = u32::try_from(self.nodes.len()).expect("secrets are bounded");
        self.nodes.push(Node { fallback: 0, depth, byte, marks: 0 });
        let marks = &mut self.nodes[parent as usize].marks;
        if parent == 0 {
            self.first[usize::from(byte)] = child;
        } else if child == parent + 1 {
            *marks |= CONTINUES;
        } else {
            *marks |= BRANCHES;
            self.branches.push(Branch { parent, child });
        }
        child
    }

    /// Fallbacks, from the root outwards: each is found by those nearer to it.
    fn link(&mut self) {
        let mut level: Vec<u32> = self.first.iter().copied().filter(|child| *child != 0).collect();
        while !level.is_empty() {
            let mut deeper = Vec::with_capacity(level.len());
            for parent in level {
                let marks = self.nodes[parent as usize].marks;
                let neighbour = (marks & CONTINUES != 0).then_some(parent + 1);
                deeper.extend(neighbour);
                if marks & BRANCHES != 0 {
                    deeper.extend(self.branches_of(parent));
                }
            }
            level = deeper;
            self.link_level(&level);
        }
    }

    fn link_level(&mut self, level: &[u32]) {
        for &child in level {
            let Node { byte, .. } = self.nodes[child as usize];
            let parent = self.parent(child);
            let fallback = self.next(State(self.nodes[parent as usize].fallback), byte).0;
            let within = self.nodes[fallback as usize].marks & (WHOLE | WHOLE_WITHIN) != 0;
            let node = &mut self.nodes[child as usize];
            node.fallback = fallback;
            node.marks |= if within { WHOLE_WITHIN } else { 0 };
        }
    }

    fn parent(&self, child: u32) -> u32 {
        let branch = self.branches.iter().find(|branch| branch.child == child);
        branch.map_or(child - 1, |branch| branch.parent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// At every place of every text over a small alphabet: what the automaton says is what looking says.
    #[test]
    fn states_tell_what_looking_tells() {
        let check = |forms: &[&str]| {
            let built: Vec<_> = forms.iter().map(|form| Zeroizing::new(form.as_bytes().to_vec())).collect();
            let automaton = Automaton::of(&built);
            for number in 0..3u32.pow(9) {
                let text: String =
                    (0..9).map(|at| ['a', 'b', 'c'][(number / 3u32.pow(at) % 3) as usize]).collect();
                let mut state = ROOT;
                for end in 1..=text.len() {
                    state = automaton.next(state, text.as_bytes()[end - 1]);
                    let seen = &text[..end];
                    let found =
                        forms.iter().filter(|form| seen.ends_with(**form)).map(|form| form.len()).max();
                    let begun =
                        |length: &usize| forms.iter().any(|form| form.starts_with(&seen[end - length..]));
                    assert_eq!(automaton.found(state), found.unwrap_or(0), "{forms:?} {seen}");
                    assert_eq!(
                        automaton.depth(state),
                        (0..=end).rev().find(begun).unwrap_or(0),
                        "{forms:?} {seen}"
                    );
                }
            }
        };
        check(&["abca", "bcab", "aaaa", "abab"]);
        check(&["abcabc", "cabc", "bcaa"]);
        check(&["aaaaa", "aaaa"]);
        check(&[]);
    }

    #[test]
    fn nothing_is_skipped_that_a_form_begins_in() {
        for length in [4, 6, 20, 40] {
            let form: Vec<u8> = (0..length).map(|at| b'a' + (at * 7 % 26) as u8).collect();
            let automaton = Automaton::of(&[Zeroizing::new(form.clone())]);
            for place in 0..100 {
                let mut text = vec![b'.'; 200];
                text[place..place + form.len()].copy_from_slice(&form);
                for from in 0..=place {
                    let at = automaton.skip(&text, from);
                    assert!((from..=place).contains(&at), "{length} {place} {from}: {at}");
                }
            }
        }
    }
}
