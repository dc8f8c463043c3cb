//! Visits every state that a model can reach, breadth first, so that the trace to a fault is
//! as short as possible. Two kinds of faults are found: a state that must not be, and a state
//! from which no way leads to an end, however well everything goes from there.

use std::{
    collections::{HashMap, VecDeque},
    fmt::Display,
    hash::{DefaultHasher, Hash, Hasher as _},
};

/// What is explored.
pub trait Model {
    /// A state of the whole system.
    type State: Hash;
    /// What leads from one state to the next.
    type Action: Copy + Display;

    /// The state at the beginning.
    fn initial(&self) -> Self::State;
    /// All that can happen in `state`, with the state after each.
    fn next(&self, state: &Self::State) -> Vec<(Self::Action, Self::State)>;
    /// Why `state` must not be.
    fn fault(&self, state: &Self::State) -> Option<&'static str>;
    /// Whether everything is over.
    fn is_end(&self, state: &Self::State) -> bool;
    /// Whether the action happens by itself as long as all parts work. Only these lead to an end.
    fn is_sure(&self, action: Self::Action) -> bool;
}

/// What was found.
#[derive(Debug)]
pub struct Explored {
    /// Number of states visited.
    pub states: usize,
    /// Number of steps between them.
    pub steps: usize,
    /// The first fault, if there is one.
    pub fault: Option<Fault>,
}

/// A fault and the shortest way to it.
#[derive(Debug)]
pub struct Fault {
    /// What is wrong.
    pub what: &'static str,
    /// The actions from the initial state, in order.
    pub trace: Vec<String>,
}

/// What is reported of a state without a way to an end.
pub const NO_WAY_TO_AN_END: &str = "no way leads from here to the end of the job";

/// Visits all states of `model`, or those up to its first fault.
pub fn explore<M: Model>(model: &M) -> Explored {
    let mut visited = Visited::<M>::default();
    let mut steps = 0;
    visited.enter(model.initial(), None);
    while let Some((at, state)) = visited.queue.pop_front() {
        if let Some(what) = model.fault(&state) {
            let fault = Some(visited.fault(what, at));
            return visited.explored(steps, fault);
        }
        if model.is_end(&state) {
            visited.ends.push(at);
        }
        for (action, state) in model.next(&state) {
            steps += 1;
            let to = visited.enter(state, Some((at, action)));
            if model.is_sure(action) {
                visited.sure.push((to, at));
            }
        }
    }
    let stuck = visited.first_without_end();
    let fault = stuck.map(|at| visited.fault(NO_WAY_TO_AN_END, at));
    visited.explored(steps, fault)
}

struct Visited<M: Model> {
    /// By hash: two among millions of states have the same one with a probability of less than
    /// one in a million, and the states themselves need not be kept.
    numbers: HashMap<u64, usize>,
    queue: VecDeque<(usize, M::State)>,
    /// For each state, the one that it was first reached from, and how.
    parents: Vec<Option<(usize, M::Action)>>,
    ends: Vec<usize>,
    /// Sure steps, backwards: from the state after to the state before.
    sure: Vec<(usize, usize)>,
}

impl<M: Model> Default for Visited<M> {
    fn default() -> Self {
        Self {
            numbers: HashMap::new(),
            queue: VecDeque::new(),
            parents: Vec::new(),
            ends: Vec::new(),
            sure: Vec::new(),
        }
    }
}

impl<M: Model> Visited<M> {
    /// The number of `state`, which is visited later if it is new.
    fn enter(&mut self, state: M::State, parent: Option<(usize, M::Action)>) -> usize {
        let mut hasher = DefaultHasher::new();
        state.hash(&mut hasher);
        let hash = hasher.finish();
        if let Some(&known) = self.numbers.get(&hash) {
            return known;
        }
        let number = self.parents.len();
        self.numbers.insert(hash, number);
        self.parents.push(parent);
        self.queue.push_back((number, state));
        number
    }

    /// The state nearest to the beginning from which sure steps lead to no end.
    fn first_without_end(&mut self) -> Option<usize> {
        self.sure.sort_unstable();
        let mut has_way = vec![false; self.parents.len()];
        let mut open = self.ends.clone();
        while let Some(at) = open.pop() {
            match has_way.get_mut(at) {
                Some(known) if !*known => *known = true,
                _ => continue,
            }
            let first = self.sure.partition_point(|&(to, _)| to < at);
            let before = self
                .sure
                .iter()
                .skip(first)
                .take_while(|&&(to, _)| to == at);
            open.extend(before.map(|&(_, from)| from));
        }
        has_way.iter().position(|known| !known)
    }

    fn fault(&self, what: &'static str, at: usize) -> Fault {
        let mut trace = Vec::new();
        let mut at = Some(at);
        while let Some((before, action)) = at.and_then(|at| self.parents.get(at).copied().flatten())
        {
            trace.push(action.to_string());
            at = Some(before);
        }
        trace.reverse();
        Fault { what, trace }
    }

    fn explored(self, steps: usize, fault: Option<Fault>) -> Explored {
        Explored {
            states: self.parents.len(),
            steps,
            fault,
        }
    }
}
