//! Tuples as argument lists.

/// Calls a macro with the names of 1 to 16 types.
macro_rules! for_each_tuple {
    ($each:ident) => {
        for_each_tuple!($each: [] A B C D E F G H I J K L M N O P);
    };
    ($each:ident: [$($name:ident)*]) => {};
    ($each:ident: [$($name:ident)*] $next:ident $($rest:ident)*) => {
        $each!($($name)* $next);
        for_each_tuple!($each: [$($name)* $next] $($rest)*);
    };
}

pub(super) use for_each_tuple;
