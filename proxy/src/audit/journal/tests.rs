use super::*;

const SLOTS: usize = 8;
const TIME: &str = "\"time\":\"2026-11-22T00:00:00.000000000Z\"";

fn text(id: &str) -> String {
    format!("{TIME},\"id\":\"{id}\"")
}

fn journal(folder: &tempfile::TempDir) -> JournalFile {
    JournalFile::open(&folder.path().join("worker-0.journal")).expect("opened")
}

#[test]
fn what_is_open_or_unwritten_at_death_is_left() {
    let folder = tempfile::tempdir().expect("a folder");
    let slots = journal(&folder).renew(SLOTS).expect("reserved");
    let mut open = slots.take().expect("free");
    open.open(text("open").as_bytes()).expect("fits");
    let mut closed = slots.take().expect("free");
    closed.open(text("closed").as_bytes()).expect("fits");
    closed.close(b",\"duration_us\":1").expect("fits");
    assert_eq!(closed.text(), format!("{},\"duration_us\":1", text("closed")).as_bytes());
    let mut written = slots.take().expect("free");
    written.open(text("written").as_bytes()).expect("fits");
    written.free();
    drop((open, closed, slots));

    let found = journal(&folder).leftovers().expect("ours");
    let mut interrupted = text("open").into_bytes();
    line::interrupted(&mut interrupted);
    let closed = format!("{},\"duration_us\":1", text("closed")).into_bytes();
    assert_eq!(found, Leftovers { texts: vec![interrupted, closed], slots_unreadable: 0 });
    journal(&folder).renew(SLOTS).expect("reserved");
    assert_eq!(journal(&folder).leftovers().expect("ours"), Leftovers::default());
}

#[test]
fn a_journal_of_any_number_of_slots_is_read() {
    for (before, after) in [(1, 100), (100, 1), (70, 0)] {
        let folder = tempfile::tempdir().expect("a folder");
        let slots = journal(&folder).renew(before).expect("reserved");
        let mut last = None;
        for _ in 0..before {
            let mut slot = slots.take().expect("free");
            slot.open(text("open").as_bytes()).expect("fits");
            last = Some(slot);
        }
        assert!(slots.take().is_none(), "{before} slots only");
        drop((last, slots));
        assert_eq!(journal(&folder).leftovers().expect("ours").texts.len(), before);
        let slots = journal(&folder).renew(after).expect("reserved");
        assert_eq!(std::iter::from_fn(|| slots.take()).count(), after);
        drop(slots);
        assert_eq!(journal(&folder).leftovers().expect("ours"), Leftovers::default());
    }
}

#[test]
fn a_text_that_does_not_fit_leaves_the_slot_as_it_was() {
    let slots = Slots::in_memory(1).expect("memory");
    let mut slot = slots.take().expect("free");
    assert!(slots.take().is_none(), "one slot only");
    slot.open(b"half").expect("fits");
    slot.close(&[b'x'; SLOT_TEXT_BYTES_MAX - 3]).expect_err("a byte too long");
    assert_eq!(slot.text(), b"half");
    slot.close(&[b'x'; SLOT_TEXT_BYTES_MAX - 4]).expect("just fits");
    assert_eq!(slot.text().len(), SLOT_TEXT_BYTES_MAX);
    slot.free();
    assert!(slots.take().is_some(), "free again");
}

#[test]
fn a_journal_has_one_owner() {
    let folder = tempfile::tempdir().expect("a folder");
    let slots = journal(&folder).renew(SLOTS).expect("reserved");
    let second = JournalFile::open(&folder.path().join("worker-0.journal")).map(drop);
    assert!(matches!(second, Err(JournalError::InUse)));
    drop(slots);
    journal(&folder);
}

#[test]
fn the_space_is_there_before_it_is_needed() {
    use std::os::unix::fs::MetadataExt;
    let folder = tempfile::tempdir().expect("a folder");
    let _slots = journal(&folder).renew(SLOTS).expect("reserved");
    let file = std::fs::metadata(folder.path().join("worker-0.journal")).expect("there");
    assert_eq!(file.len(), (SLOT_BYTES * (1 + SLOTS)) as u64);
    assert!(file.blocks() * 512 >= file.len(), "{} blocks", file.blocks());
    assert_eq!(file.mode() & 0o777, 0o600);
}

#[test]
fn what_is_no_record_is_counted_and_what_is_no_journal_is_refused() {
    let slot = |word: u32, text: &str| {
        let mut bytes = word.to_ne_bytes().to_vec();
        bytes.extend_from_slice(text.as_bytes());
        bytes.resize(SLOT_BYTES, 0);
        bytes
    };
    let check = |content: Vec<u8>, expected: Option<(usize, u64)>| {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("worker-0.journal"), content).expect("written");
        match journal(&folder).leftovers() {
            Ok(found) => assert_eq!(Some((found.texts.len(), found.slots_unreadable)), expected),
            Err(error) => assert!(matches!(error, JournalError::Foreign) && expected.is_none()),
        }
    };
    let header = |slots: &[Vec<u8>]| {
        let mut bytes = MAGIC.to_vec();
        bytes.resize(SLOT_BYTES, 0);
        [bytes, slots.concat()].concat()
    };
    let good = text("a");
    let closed = 2 << 16 | u32::try_from(good.len()).expect("short");
    check(vec![], Some((0, 0)));
    check(vec![0; SLOT_BYTES], Some((0, 0)));
    check(vec![0; 3 * READ_BYTES], Some((0, 0)));
    check(b"hello".to_vec(), None);
    check([vec![0; 2 * READ_BYTES], b"x".to_vec()].concat(), None);
    check(header(&[slot(closed, &good), slot(0, &good), slot(closed - 1, &good)]), Some((1, 1)));
    check(
        header(&[slot(closed + (1 << 16), &good), slot(2 << 16, ""), slot(2 << 16 | 0xffff, "")]),
        Some((0, 3)),
    );
    check(header(&[slot(closed, &good)[..40].to_vec()]), Some((0, 0)));
}
