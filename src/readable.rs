//! One way to print an error with `Debug`.

/// `Debug` of an error is its `Display` sentence, because `main` and `unwrap` print `Debug`; `{:#?}`
/// shows the fields. Takes `struct Name { field, … }`, or `enum Name { Unit, Tuple(value), Struct { field } }`.
macro_rules! readable {
    (struct $error:ident { $($field:ident),* }) => {
        readable!(@debug $error, |error, f| {
            let Self { $($field,)* .. } = error;
            f.debug_struct(stringify!($error))$(.field(stringify!($field), $field))*.finish()
        });
    };
    (enum $error:ident {
        $($(#[$cfg:meta])? $variant:ident $(($value:ident))? $({ $($field:ident),+ })?),* $(,)?
    }) => {
        readable!(@debug $error, |error, f| match error {
            $($(#[$cfg])? Self::$variant $(($value))? $({ $($field),+ })? => {
                f.debug_struct(stringify!($variant))
                    $(.field("0", $value))?
                    $($(.field(stringify!($field), $field))+)?
                    .finish()
            })*
        });
    };
    (@debug $error:ident, |$this:ident, $f:ident| $fields:expr) => {
        impl std::fmt::Debug for $error {
            fn fmt(&self, $f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                if !$f.alternate() {
                    return std::fmt::Display::fmt(self, $f);
                }
                let $this = self;
                $fields
            }
        }
    };
}
