//! Programs in which something goes wrong, by themselves or by what they are answered.

use anyhow::{Context as _, Result, bail};
use pulumi_program::{Component, InvokeResourceRequest, Options, Output, Program, all};

use crate::{input, text, thing};

/// Two resources that have nothing to do with each other, and one that depends on each.
pub(crate) fn two(program: &Program) -> Result<()> {
    let left = thing(
        program,
        "left",
        &[input("secret", &Output::new_secret("hunter2".to_owned()))],
    );
    let right = thing(program, "right", &[]);
    thing(program, "after-left", &[input("id", &left.get_id())]);
    thing(program, "after-right", &[input("id", &right.get_id())]);
    program.export("left", &left.get_id());
    Ok(())
}

/// A resource that depends on a value which nothing can be made of, and one that depends on a good one.
pub(crate) fn required(program: &Program) -> Result<()> {
    let base = thing(program, "base", &[]);
    let check = |wanted: &'static str| {
        move |id: &String| match id == wanted {
            true => Ok(()),
            false => Err(format!("{id} is not {wanted}")),
        }
    };
    let bad = program.require(&base.get_id(), check("another"));
    let good = program.require(&base.get_id(), check("base-id"));
    thing(program, "of-bad", &[input("id", &bad)]);
    thing(program, "also-of-bad", &[input("id", &bad)]);
    thing(program, "of-good", &[input("id", &good)]);
    program.export("bad", &bad);
    Ok(())
}

/// A row of resources, each of which depends on the one before through several outputs.
pub(crate) fn several(program: &Program) -> Result<()> {
    let mut id = text("start");
    for number in 0..20 {
        for _ in 0..10 {
            id = id.map(|id| id);
        }
        id = thing(program, &format!("row-{number}"), &[input("id", &id)]).get_id();
    }
    thing(program, "refused", &[]);
    Ok(())
}

pub(crate) fn panic(program: &Program) -> Result<()> {
    let base = thing(program, "base", &[]);
    let id = base.get_id().map(|id| {
        let number: Option<u32> = id.parse().ok();
        assert!(number.is_some(), "{id} is no number");
        id
    });
    thing(program, "dependent", &[input("id", &id)]);
    Ok(())
}

/// Reads an output as what it is not.
pub(crate) fn mistyped(program: &Program) -> Result<()> {
    let base = thing(program, "base", &[input("name", &text("x"))]);
    let name: Output<i32> = base.get_field("name");
    thing(program, "dependent", &[input("name", &name)]);
    Ok(())
}

pub(crate) fn error(program: &Program) -> Result<()> {
    thing(program, "base", &[]);
    let read: Result<()> = (|| bail!("no such file"))();
    read.context("cannot read the site's pages")
}

pub(crate) fn exported_twice(program: &Program) -> Result<()> {
    thing(program, "base", &[]);
    program.export("name", &text("a"));
    program.export("name", &text("b"));
    Ok(())
}

pub(crate) fn function(program: &Program) -> Result<()> {
    let found = program.invoke_resource(InvokeResourceRequest {
        token: "test:index:lookUp".to_owned(),
        version: "1.2.3".to_owned(),
        object: &[],
        ..InvokeResourceRequest::default()
    });
    thing(
        program,
        "dependent",
        &[input("found", &found.get_field::<String>("found"))],
    );
    Ok(())
}

/// Registers as many resources as another one says, once it is there.
pub(crate) fn nested(program: &Program) -> Result<()> {
    let base = thing(program, "base", &[input("count", &Output::new(2))]);
    let context = program.context().clone();
    let ids = base.get_field::<i32>("count").and_then(move |count| {
        let ids = (0..count).map(|number| thing(&context, &format!("one-{number}"), &[]).get_id());
        all(ids.collect::<Vec<_>>())
    });
    let group = program.context().clone();
    let grouped = base.get_id().and_then(move |id| {
        let component = Component::new(&group, "test:index:Part", "part", Options::new());
        component.output("id", &text(&id));
        component.urn.map(|urn| urn)
    });
    thing(
        program,
        "dependent",
        &[input("ids", &ids), input("urn", &grouped)],
    );
    Ok(())
}

pub(crate) fn same_name(program: &Program) -> Result<()> {
    thing(program, "same", &[]);
    thing(program, "same", &[]);
    Ok(())
}

/// An error in the form that `unwrap` shows.
pub(crate) fn unwrapped(_: &Program) -> Result<()> {
    let read: Result<()> = Err(anyhow::anyhow!("no such file")).context("cannot read the pages");
    let error = read.err();
    assert!(error.is_none(), "{error:?}");
    Ok(())
}

pub(crate) fn empty_error(_: &Program) -> Result<()> {
    bail!("")
}

/// A thread of the program's own panics, and the program knows.
pub(crate) fn thread(_: &Program) -> Result<()> {
    let helper = std::thread::Builder::new().name("helper".to_owned());
    let end = helper.spawn(|| assert_eq!(1 + 1, 3, "no sum"))?.join();
    anyhow::ensure!(end.is_err(), "the thread did not panic");
    bail!("the helper failed")
}

/// Panics because of a panic that it has caught.
pub(crate) fn caught(_: &Program) -> Result<()> {
    let first = std::panic::catch_unwind(|| assert_eq!(1 + 1, 3, "no sum"));
    assert!(first.is_ok(), "no result");
    Ok(())
}

/// Panics while it deals with a panic, which ends a process at once.
pub(crate) fn twice(_: &Program) -> Result<()> {
    struct Last;
    impl Drop for Last {
        fn drop(&mut self) {
            assert_eq!(1 + 1, 4, "no end");
        }
    }
    let _last = Last;
    assert_eq!(1 + 1, 3, "no sum");
    Ok(())
}

/// Ends, but not what it started, which has its output.
pub(crate) fn leaves_a_child(_: &Program) -> Result<()> {
    println!("on its own");
    std::process::Command::new("sleep").arg("30").spawn()?;
    Ok(())
}
