//! `#[replicate]`: components that clients see.
//!
//! *Responsible for*: `impl Replicate` and the quantising of fields. *Not responsible for*: packing bits (`replica`).
//!
//! Invariants:
//! - I1: every field of a state component has a width and a rule; a sticky one has neither.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::parse::Parser as _;
use syn::spanned::Spanned as _;
use syn::{Error, Expr, Ident, ItemStruct, LitInt, LitStr, Result, Type};

use crate::lock::{Lock, Section};
use crate::{attributes, data, names, persist};

/// Fields of a state component: one packet carries a byte of mask for eight; more belong into a second component.
const FIELDS_MAX: usize = 32;

/// How a component travels.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Travel {
    State,
    Sticky,
}

/// How a field becomes bits.
enum Rule {
    Range(Box<Range>),
    Angle { bits: Box<Expr> },
    Unsigned { bits: Box<Expr> },
    Whole,
}

struct Range {
    min: Expr,
    max: Expr,
    step: Expr,
}

struct Field {
    member: TokenStream,
    name: String,
    ty: Type,
    rule: Rule,
}

/// Expands `#[replicate]`.
pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let (travel, given, persist) = read_arguments(arguments)?;
    let mut item: ItemStruct = syn::parse2(item).map_err(|error| {
        Error::new(error.span(), "`#[replicate]` is for structs: a component of named or numbered fields")
    })?;
    data::refuse_generics(&item.generics)?;
    let name = names::checked(&item.ident)?;
    let docs = attributes::docs(&item.attrs);
    let lock = Lock::read()?;
    let locked = match given {
        Some(number) => Some(number),
        None => lock.find(Section::Component, &name, &item.ident)?,
    };
    let fields = read_fields(&mut item, travel)?;
    let data_fields = data::take_fields(&mut item.fields, true)?;
    let implementation = data::implement_struct(&item.ident, &name, &docs, &data_fields, true);
    let replicate = implement(&item.ident, &name, travel, &fields, locked)?;
    let persist = persist.map(|name| persist::implement(&item.ident, &name));
    let tracking = lock.tracking();
    Ok(quote!(#item #implementation #replicate #persist #tracking))
}

fn read_arguments(arguments: TokenStream) -> Result<(Travel, Option<u32>, Option<LitStr>)> {
    let (mut travel, mut number, mut name) = (None, None, None);
    let span = arguments.span();
    let parser = syn::meta::parser(|meta| {
        if meta.path.is_ident("state") {
            travel = Some(Travel::State);
        } else if meta.path.is_ident("sticky") {
            travel = Some(Travel::Sticky);
        } else if meta.path.is_ident("number") {
            number = Some(meta.value()?.parse::<LitInt>()?.base10_parse()?);
        } else if meta.path.is_ident("persist") {
            name = Some(persist::read(&meta)?);
        } else {
            return Err(meta.error(
                "expected `state` (newest wins, in each packet), `sticky` (reliable, when changed), \
                 `persist = \"name\"` (it is kept under this name) or `number = N`",
            ));
        }
        Ok(())
    });
    parser.parse2(arguments)?;
    let travel = travel.ok_or_else(|| {
        Error::new(
            span,
            "say how it travels: `#[replicate(state)]` (quantised, newest wins, in each packet) or \
             `#[replicate(sticky)]` (whole, reliable, when it changed)",
        )
    })?;
    Ok((travel, number, name))
}

fn read_fields(item: &mut ItemStruct, travel: Travel) -> Result<Vec<Field>> {
    let mut fields = Vec::new();
    for (index, field) in item.fields.iter_mut().enumerate() {
        let attribute = attributes::take(&mut field.attrs, "quantise")?;
        if travel == Travel::Sticky {
            if let Some(attribute) = attribute {
                return Err(Error::new_spanned(
                    attribute,
                    "a sticky component travels whole; leave `#[quantise]` out",
                ));
            }
            continue;
        }
        let rule = match attribute {
            Some(attribute) => read_rule(&attribute)?,
            None => rule_of(&field.ty)?,
        };
        let index = syn::Index::from(index);
        let member = field.ident.as_ref().map_or_else(|| quote!(#index), |ident| quote!(#ident));
        let name = field.ident.as_ref().map_or_else(|| index.index.to_string(), names::text);
        fields.push(Field { member, name, ty: field.ty.clone(), rule });
    }
    if travel == Travel::State && (fields.is_empty() || fields.len() > FIELDS_MAX) {
        return Err(Error::new_spanned(
            &item.ident,
            format!("a state component has 1 to {FIELDS_MAX} fields"),
        ));
    }
    Ok(fields)
}

fn read_rule(attribute: &syn::Attribute) -> Result<Rule> {
    let (mut min, mut max, mut step, mut bits, mut angle) = (None, None, None, None, false);
    attribute.parse_nested_meta(|meta| {
        let expression = || meta.value()?.parse::<Expr>();
        if meta.path.is_ident("min") {
            min = Some(expression()?);
        } else if meta.path.is_ident("max") {
            max = Some(expression()?);
        } else if meta.path.is_ident("step") {
            step = Some(expression()?);
        } else if meta.path.is_ident("bits") {
            bits = Some(expression()?);
        } else if meta.path.is_ident("angle") {
            angle = true;
        } else {
            return Err(meta.error("expected `min`, `max`, `step`, `bits` or `angle`"));
        }
        Ok(())
    })?;
    match (min, max, step, bits, angle) {
        (Some(min), Some(max), Some(step), None, false) => {
            Ok(Rule::Range(Box::new(Range { min, max, step })))
        }
        (None, None, None, Some(bits), true) => Ok(Rule::Angle { bits: Box::new(bits) }),
        (None, None, None, Some(bits), false) => Ok(Rule::Unsigned { bits: Box::new(bits) }),
        _ => Err(Error::new_spanned(
            attribute,
            "write `#[quantise(min = …, max = …, step = …)]` for a number in a range, `#[quantise(angle, bits = …)]` \
             for radians, or `#[quantise(bits = …)]` for an unsigned integer",
        )),
    }
}

/// The rule of a field without `#[quantise]`: whole for those that have one width of their own.
fn rule_of(ty: &Type) -> Result<Rule> {
    let names = ["f32", "f64", "i8", "i16", "i32"];
    let needs_rule = matches!(ty, Type::Path(path) if names.iter().any(|name| path.path.is_ident(name)));
    if needs_rule {
        return Err(Error::new_spanned(
            ty,
            "say how this field becomes bits: `#[quantise(min = …, max = …, step = …)]`, or `#[quantise(angle, bits = …)]` \
             for radians",
        ));
    }
    Ok(Rule::Whole)
}

fn implement(
    ident: &Ident,
    name: &str,
    travel: Travel,
    fields: &[Field],
    locked: Option<u32>,
) -> Result<TokenStream> {
    let number = locked.map_or_else(
        || Ok(quote!(<#ident as ::lightmoon_contract::descriptor::Provisional>::NUMBER)),
        |number| match u16::try_from(number) {
            Ok(number) => Ok(quote!(#number)),
            Err(_) => Err(Error::new(ident.span(), "numbers of components end at 65535")),
        },
    )?;
    let provisional = locked.is_none();
    let travel_name = match travel {
        Travel::State => quote!(State),
        Travel::Sticky => quote!(Sticky),
    };
    let specs = fields.iter().map(spec);
    let (quantise, restore) = match travel {
        Travel::State => quantise_and_restore(fields),
        Travel::Sticky => (quote!(let _ = out;), quote!(let _ = fields; ::core::option::Option::None)),
    };
    Ok(quote! {
        #[automatically_derived]
        impl ::lightmoon_contract::Replicate for #ident {
            const SPEC: ::lightmoon_contract::replicate::ComponentSpec = ::lightmoon_contract::replicate::ComponentSpec {
                name: #name,
                number: #number,
                travel: ::lightmoon_contract::replicate::Travel::#travel_name,
                fields: &[#(#specs),*],
            };

            fn quantise(&self, out: &mut [u32]) {
                #quantise
            }

            fn restore(fields: &[u32]) -> ::core::option::Option<Self> {
                #restore
            }
        }

        #[automatically_derived]
        impl ::lightmoon_contract::descriptor::DescribeComponent for #ident {
            const PROVISIONAL: bool = #provisional;
        }
    })
}

fn spec(field: &Field) -> TokenStream {
    let Field { name, ty, rule, .. } = field;
    match rule {
        Rule::Range(range) => {
            let Range { min, max, step } = &**range;
            quote_spanned!(ty.span()=> ::lightmoon_contract::replicate::FieldSpec::range(#name, #min, #max, #step))
        }
        Rule::Angle { bits } => {
            quote_spanned!(ty.span()=> ::lightmoon_contract::replicate::FieldSpec::angle(#name, #bits))
        }
        Rule::Unsigned { bits } => {
            quote_spanned!(ty.span()=> ::lightmoon_contract::replicate::FieldSpec::unsigned(#name, #bits))
        }
        Rule::Whole => {
            quote_spanned!(ty.span()=> ::lightmoon_contract::replicate::FieldSpec::whole::<#ty>(#name))
        }
    }
}

fn quantise_and_restore(fields: &[Field]) -> (TokenStream, TokenStream) {
    let count = fields.len();
    let quantises = fields.iter().enumerate().map(|(index, field)| {
        let Field { member, ty, rule, .. } = field;
        let real = quote_spanned!(ty.span()=> <#ty as ::lightmoon_contract::replicate::Quantisable>::to_real(self.#member));
        // The spec knows the width only; the field's own greatest value may be below what the bits hold.
        let real = match rule {
            Rule::Range(range) => {
                let (min, max) = (&range.min, &range.max);
                quote!(#real.clamp(#min, #max))
            }
            Rule::Angle { .. } | Rule::Unsigned { .. } | Rule::Whole => real,
        };
        quote!(specs[#index].quantise(#real))
    });
    let restores = fields.iter().enumerate().map(|(index, field)| {
        let Field { member, ty, .. } = field;
        quote_spanned! {ty.span()=>
            #member: <#ty as ::lightmoon_contract::replicate::Quantisable>::from_real(specs[#index].restore(fields[#index]))
        }
    });
    let specs = quote!(let specs = <Self as ::lightmoon_contract::Replicate>::SPEC.fields;);
    let quantise = quote! {
        #specs
        let values: [u32; #count] = [#(#quantises),*];
        for (place, value) in out.iter_mut().zip(values) {
            *place = value;
        }
    };
    let restore = quote! {
        #specs
        let fields: &[u32; #count] = fields.try_into().ok()?;
        ::core::option::Option::Some(Self { #(#restores),* })
    };
    (quantise, restore)
}
