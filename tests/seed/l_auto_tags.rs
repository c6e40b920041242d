//! L. Type tags that follow from the values.

use tokio_osc::packet::{Array, Color, Symbol};
use tokio_osc::{Arg, Message};

fn tags(args: impl tokio_osc::IntoArgs) -> String {
    Message::new("/a", args).unwrap().type_tags().to_owned()
}

/// Row L02.
#[test]
fn a_list_is_arguments_and_an_array_needs_its_type() {
    assert_eq!(tags((1, 2, 3, 4)), ",iiii");
    assert_eq!(tags([1, 2]), ",ii");
    assert_eq!(tags(vec![0.5_f32; 3]), ",fff");
    assert_eq!(tags(Array([1, 2])), ",[ii]");
    assert_eq!(tags(Color::from([1, 2, 3, 4])), ",r", "four numbers become a colour only by name");
}

/// Row L03.
#[test]
fn what_osc4py3_never_chooses_is_chosen_by_the_rust_type() {
    assert_eq!(tags((1_i64, 0.5_f64, Symbol("name"), 'c')), ",hdSc");
    let list = [Arg::from(1_i64), Arg::from(0.5_f64), Arg::from('c')];
    assert_eq!(tags(&list[..]), ",hdc");
}
