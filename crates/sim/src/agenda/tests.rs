//! Tests of the order in which events come.

use clock::time::Moment;

use super::Agenda;

#[test]
fn events_come_by_time_and_then_as_they_were_made() {
    let mut agenda = Agenda::default();
    for (at, name) in [(2, 'c'), (1, 'a'), (3, 'd'), (1, 'b')] {
        agenda.add(Moment::from_micros(at), name);
    }
    let mut taken = |until| {
        let until = Moment::from_micros(until);
        let names = std::iter::from_fn(|| agenda.take(until).map(|(_, name)| name));
        names.collect::<String>()
    };
    assert_eq!(
        [taken(0), taken(2), taken(9), taken(9)],
        ["", "abc", "d", ""]
    );
}
