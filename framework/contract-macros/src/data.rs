//! `#[data]`: structs and enums that travel.
//!
//! *Responsible for*: `impl Data` with the growing and the fixed layout. *Not responsible for*: the bytes of the parts.
//!
//! Invariants:
//! - I1: fields are written in order of declaration; growing ones stand in a window with their length in front.
//! - I2: variants of growing enums are numbered by `contracts.lock`, of fixed ones by their order.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::parse::Parser as _;
use syn::spanned::Spanned as _;
use syn::{
    Attribute, Error, Fields, Generics, Ident, Item, ItemEnum, ItemStruct, LitInt, LitStr, Result, Type,
    Visibility,
};

use crate::lock::{Lock, Section};
use crate::{attributes, names, persist};

/// A field as the byte format sees it.
pub(crate) struct Field {
    /// As it is written after a dot: a name or an index.
    member: TokenStream,
    /// The variable it is bound to.
    binding: Ident,
    name: String,
    docs: String,
    ty: Type,
    required: bool,
    /// Whether no tool shows it.
    secret: bool,
}

/// A variant as the byte format sees it.
struct Variant {
    ident: Ident,
    docs: String,
    number: u32,
    provisional: bool,
    other: bool,
    fields: Vec<Field>,
}

/// Expands `#[data]`.
pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let (grows, persist) = read_arguments(arguments)?;
    let item = syn::parse2::<Item>(item)?;
    let (ident, expanded) = if let Item::Struct(item) = item {
        (item.ident.clone(), expand_struct(item, grows)?)
    } else if let Item::Enum(item) = item {
        (item.ident.clone(), expand_enum(item, grows)?)
    } else {
        return Err(Error::new_spanned(item, "`#[data]` is for structs and enums"));
    };
    let persist = persist.map(|name| persist::implement(&ident, &name));
    Ok(quote!(#expanded #persist))
}

/// Whether the type may grow, and the name that it is kept under.
fn read_arguments(arguments: TokenStream) -> Result<(bool, Option<LitStr>)> {
    let (mut grows, mut name) = (true, None);
    let parser = syn::meta::parser(|meta| {
        if meta.path.is_ident("fixed") {
            grows = false;
        } else if meta.path.is_ident("persist") {
            name = Some(persist::read(&meta)?);
        } else {
            return Err(meta.error(
                "expected `#[data]` (the type may grow), `#[data(fixed)]` (it never changes) or \
                 `persist = \"name\"` (it is kept under this name)",
            ));
        }
        Ok(())
    });
    parser.parse2(arguments)?;
    Ok((grows, name))
}

/// Refuses type parameters.
pub(crate) fn refuse_generics(generics: &Generics) -> Result<()> {
    if generics.params.is_empty() && generics.where_clause.is_none() {
        return Ok(());
    }
    Err(Error::new_spanned(
        generics,
        "a type of a contract has no parameters: clients in other languages need one name and one shape",
    ))
}

fn expand_struct(mut item: ItemStruct, grows: bool) -> Result<TokenStream> {
    refuse_generics(&item.generics)?;
    let name = names::checked(&item.ident)?;
    let docs = attributes::docs(&item.attrs);
    let secrets = take_secrets(&mut item.fields)?;
    let mut fields = take_fields(&mut item.fields, grows)?;
    fields.iter_mut().zip(secrets).for_each(|(field, secret)| field.secret = secret);
    let implementation = implement_struct(&item.ident, &name, &docs, &fields, grows);
    Ok(quote!(#item #implementation))
}

/// Takes `#[secret]`, for each field whether it was there. Fields of components that clients see and of variants have none.
fn take_secrets(fields: &mut Fields) -> Result<Vec<bool>> {
    fields.iter_mut().map(|field| attributes::take_mark(&mut field.attrs, "secret")).collect()
}

/// Reads the fields of a struct or variant and takes our attributes out.
pub(crate) fn take_fields(fields: &mut Fields, grows: bool) -> Result<Vec<Field>> {
    let mut taken = Vec::new();
    for (index, field) in fields.iter_mut().enumerate() {
        let name = match &field.ident {
            Some(ident) => names::checked(ident)?,
            None => index.to_string(),
        };
        let member = match &field.ident {
            Some(ident) => quote!(#ident),
            None => {
                let index = syn::Index::from(index);
                quote!(#index)
            }
        };
        let required = take_required(&mut field.attrs, grows)?;
        refuse_reference(&field.ty)?;
        taken.push(Field {
            member,
            binding: format_ident!("field_{index}"),
            name,
            docs: attributes::docs(&field.attrs),
            ty: field.ty.clone(),
            required,
            secret: false,
        });
    }
    Ok(taken)
}

/// Takes `#[required]`, which means nothing where all is required.
pub(crate) fn take_required(attrs: &mut Vec<Attribute>, grows: bool) -> Result<bool> {
    let span = attrs
        .iter()
        .find(|attribute| attribute.path().is_ident("required"))
        .map(|attribute| attribute.span());
    let required = attributes::take_mark(attrs, "required")?;
    if required && !grows {
        return Err(Error::new(
            span.unwrap_or_else(Span::call_site),
            "every field of a `#[data(fixed)]` type is required; leave the mark out",
        ));
    }
    Ok(required)
}

/// Refuses `&T` with a hint; other types that cannot travel are named by the compiler.
pub(crate) fn refuse_reference(ty: &Type) -> Result<()> {
    if matches!(ty, Type::Reference(_)) {
        return Err(Error::new_spanned(
            ty,
            "a reference cannot travel: write the owned type, `String` for `&str`, `Vec<T>` for `&[T]`",
        ));
    }
    Ok(())
}

/// A field of a message: an argument of an operation.
pub(crate) fn argument(
    ident: &Ident,
    ty: &Type,
    docs: String,
    required: bool,
    index: usize,
) -> Result<Field> {
    Ok(Field {
        member: quote!(#ident),
        binding: format_ident!("field_{index}"),
        name: names::checked(ident)?,
        docs,
        ty: ty.clone(),
        required,
        secret: false,
    })
}

/// `impl Data` of a struct.
pub(crate) fn implement_struct<'a>(
    ident: &Ident,
    name: &str,
    docs: &str,
    fields: impl IntoIterator<Item = &'a Field> + Clone,
    grows: bool,
) -> TokenStream {
    let writes = fields.clone().into_iter().map(|field| {
        let (member, ty) = (&field.member, &field.ty);
        quote_spanned!(ty.span()=> <#ty as ::lightmoon_contract::Data>::write(&self.#member, to);)
    });
    let inits = inits(fields.clone(), grows);
    let (entries, checks) = (entries(fields.clone()), checks(fields.clone()));
    let secrets = fields.clone().into_iter().filter(|field| field.secret).map(|field| field.name.clone());
    let secrets: Vec<String> = secrets.collect();
    let (write, read, min) = if grows {
        (
            quote!(to.window(|to| { let _ = &to; #(#writes)* });),
            quote!(from.window(|from| { let _ = &from; ::core::result::Result::Ok(Self { #inits }) })),
            quote!(1),
        )
    } else {
        let mins = fields.into_iter().map(|field| {
            let ty = &field.ty;
            quote_spanned!(ty.span()=> + <#ty as ::lightmoon_contract::Data>::MIN_BYTES)
        });
        (
            quote!(#(#writes)*),
            quote!(from.nested(|from| { let _ = &from; ::core::result::Result::Ok(Self { #inits }) })),
            quote!(0 #(#mins)*),
        )
    };
    let shape = quote!(::lightmoon_contract::descriptor::Shape::Struct { grows: #grows, fields: #entries });
    let implementation = implementation(ident, &min, &write, &read, &describe(name, docs, &secrets, &shape));
    quote!(#implementation #checks)
}

/// `member: read, …`
fn inits<'a>(fields: impl IntoIterator<Item = &'a Field>, grows: bool) -> TokenStream {
    let inits = fields.into_iter().map(|field| {
        let (member, ty) = (&field.member, &field.ty);
        let read = match (grows, field.required) {
            (true, false) => quote_spanned!(ty.span()=> from.field::<#ty>()?),
            (true, true) => quote_spanned!(ty.span()=> from.required::<#ty>()?),
            (false, _) => quote_spanned!(ty.span()=> <#ty as ::lightmoon_contract::Data>::read(from)?),
        };
        quote!(#member: #read)
    });
    quote!(#(#inits),*)
}

/// `vec![FieldEntry, …]`
pub(crate) fn entries<'a>(fields: impl IntoIterator<Item = &'a Field>) -> TokenStream {
    let entries = fields.into_iter().map(|field| {
        let Field { name, docs, ty, required, .. } = field;
        let value = quote_spanned!(ty.span()=> <#ty as ::lightmoon_contract::Data>::describe(table));
        quote! {
            ::lightmoon_contract::descriptor::FieldEntry {
                name: ::std::string::String::from(#name),
                docs: ::std::string::String::from(#docs),
                value: #value,
                required: #required,
            }
        }
    });
    quote!(::std::vec![#(#entries),*])
}

/// Has the compiler look into the types of fields for what cannot travel.
fn checks<'a>(fields: impl IntoIterator<Item = &'a Field>) -> TokenStream {
    let checks = fields.into_iter().map(|field| {
        let ty = &field.ty;
        quote_spanned!(ty.span()=> const _: () = <#ty as ::lightmoon_contract::Data>::CHECK;)
    });
    quote!(#(#checks)*)
}

fn describe(name: &str, docs: &str, secrets: &[String], shape: &TokenStream) -> TokenStream {
    if !secrets.is_empty() {
        return quote! {
            table.named_with_secrets::<Self>(#name, #docs, &[#(#secrets),*], |table| {
                let _ = &table;
                #shape
            })
        };
    }
    quote! {
        table.named::<Self>(#name, #docs, |table| {
            let _ = &table;
            #shape
        })
    }
}

fn implementation(
    ident: &Ident,
    min: &TokenStream,
    write: &TokenStream,
    read: &TokenStream,
    describe: &TokenStream,
) -> TokenStream {
    quote! {
        #[automatically_derived]
        impl ::lightmoon_contract::Data for #ident {
            const MIN_BYTES: usize = #min;

            // Values stand in lists and messages of other crates, where a call costs more than their fields.
            #[inline]
            fn write(&self, to: &mut ::lightmoon_contract::Writer) {
                let _ = &to;
                #write
            }

            #[inline]
            fn read(
                from: &mut ::lightmoon_contract::Reader<'_>,
            ) -> ::core::result::Result<Self, ::lightmoon_contract::DecodeError> {
                #read
            }

            fn describe(
                table: &mut ::lightmoon_contract::descriptor::TypeTable,
            ) -> ::lightmoon_contract::descriptor::TypeRef {
                #describe
            }
        }
    }
}

fn expand_enum(mut item: ItemEnum, grows: bool) -> Result<TokenStream> {
    refuse_generics(&item.generics)?;
    let name = names::checked(&item.ident)?;
    let docs = attributes::docs(&item.attrs);
    if item.variants.is_empty() {
        return Err(Error::new_spanned(&item, "an enum without variants has no values that could travel"));
    }
    let lock = Lock::read()?;
    let variants = take_variants(&mut item, &name, grows, &lock)?;
    let tracking = grows.then(|| lock.tracking());
    let implementation = implement_enum(&item.ident, &name, &docs, &variants, grows);
    Ok(quote!(#item #implementation #tracking))
}

fn take_variants(item: &mut ItemEnum, name: &str, grows: bool, lock: &Lock) -> Result<Vec<Variant>> {
    let mut members = Vec::new();
    let mut parts = Vec::new();
    for variant in &mut item.variants {
        names::checked(&variant.ident)?;
        let number = attributes::take_number(&mut variant.attrs)?;
        if !grows && number.is_some() {
            return Err(Error::new_spanned(
                &variant,
                "variants of a `#[data(fixed)]` enum are numbered by their order",
            ));
        }
        let other = attributes::take_mark(&mut variant.attrs, "other")?;
        if other && !matches!(variant.fields, Fields::Unit) {
            return Err(Error::new_spanned(
                &variant,
                "the `#[other]` variant stands for unknown ones and has no fields",
            ));
        }
        let fields = take_fields(&mut variant.fields, grows)?;
        members.push((variant.ident.clone(), number));
        parts.push((attributes::docs(&variant.attrs), other, fields));
    }
    check_other(item, &parts.iter().map(|(_, other, _)| *other).collect::<Vec<_>>(), grows)?;
    let numbers: Vec<_> = if grows {
        lock.members(Section::Variant, name, &members)?
            .into_iter()
            .map(|n| (n.value, n.provisional))
            .collect()
    } else {
        (0..).zip(&members).map(|(number, _)| (number, false)).collect()
    };
    let variants = members.into_iter().zip(parts).zip(numbers);
    Ok(variants
        .map(|(((ident, _), (docs, other, fields)), (number, provisional))| Variant {
            ident,
            docs,
            number,
            provisional,
            other,
            fields,
        })
        .collect())
}

fn check_other(item: &ItemEnum, others: &[bool], grows: bool) -> Result<()> {
    let count = others.iter().filter(|other| **other).count();
    match (grows, count) {
        (true, 1) | (false, 0) => Ok(()),
        (true, 0) => Err(Error::new_spanned(
            &item.ident,
            "an enum that may grow needs a variant for those it does not know yet: put `#[other]` on a variant \
             without fields, or write `#[data(fixed)]` if it will never change",
        )),
        (true, _) => Err(Error::new_spanned(&item.ident, "only one variant can be the `#[other]` one")),
        (false, _) => Err(Error::new_spanned(
            &item.ident,
            "a `#[data(fixed)]` enum never meets other variants; leave `#[other]` out",
        )),
    }
}

fn implement_enum(ident: &Ident, name: &str, docs: &str, variants: &[Variant], grows: bool) -> TokenStream {
    let writes = variants.iter().map(|variant| write_variant(variant, grows));
    let reads = variants.iter().map(|variant| {
        let (variant_ident, number) =
            (&variant.ident, LitInt::new(&format!("{}u32", variant.number), Span::call_site()));
        let inits = inits(&variant.fields, grows);
        quote!(#number => ::core::result::Result::Ok(Self::#variant_ident { #inits }),)
    });
    let other = variants.iter().find(|variant| variant.other);
    let unknown = other.map_or_else(
        || {
            quote!(::core::result::Result::Err(::lightmoon_contract::DecodeError::new(
                at,
                ::lightmoon_contract::DecodeReason::Variant
            )))
        },
        |other| {
            let other = &other.ident;
            quote!(::core::result::Result::Ok(Self::#other))
        },
    );
    let within = if grows { quote!(window) } else { quote!(nested) };
    let read = quote! {
        let at = from.position();
        let number = from.get::<u32>()?;
        from.#within(|from| {
            let _ = (&from, at);
            match number {
                #(#reads)*
                _ => #unknown,
            }
        })
    };
    let entries = variants.iter().map(variant_entry);
    let shape = quote! {
        ::lightmoon_contract::descriptor::Shape::Enum { grows: #grows, variants: ::std::vec![#(#entries),*] }
    };
    let checks = checks(variants.iter().flat_map(|variant| &variant.fields));
    let write = quote!(match self { #(#writes)* });
    let implementation = implementation(ident, &quote!(1), &write, &read, &describe(name, docs, &[], &shape));
    quote!(#implementation #checks)
}

fn write_variant(variant: &Variant, grows: bool) -> TokenStream {
    let (ident, number) = (&variant.ident, u64::from(variant.number));
    let bindings = variant.fields.iter().map(|field| {
        let (member, binding) = (&field.member, &field.binding);
        quote!(#member: #binding)
    });
    let writes = variant.fields.iter().map(|field| {
        let (binding, ty) = (&field.binding, &field.ty);
        quote_spanned!(ty.span()=> <#ty as ::lightmoon_contract::Data>::write(#binding, to);)
    });
    let fields = if !grows {
        quote!(#(#writes)*)
    } else if variant.fields.is_empty() {
        quote!(to.raw(&[0]);)
    } else {
        quote!(to.window(|to| { #(#writes)* });)
    };
    quote! {
        Self::#ident { #(#bindings),* } => {
            to.varint(#number);
            #fields
        }
    }
}

fn variant_entry(variant: &Variant) -> TokenStream {
    let Variant { ident, docs, number, provisional, other, fields } = variant;
    let name = names::text(ident);
    let fields = entries(fields);
    quote! {
        ::lightmoon_contract::descriptor::VariantEntry {
            name: ::std::string::String::from(#name),
            docs: ::std::string::String::from(#docs),
            number: #number,
            provisional: #provisional,
            other: #other,
            fields: #fields,
        }
    }
}

/// The message struct of an operation: growing, with a field for each argument.
pub(crate) fn message(
    ident: &Ident,
    visibility: &Visibility,
    name: &str,
    docs: &str,
    fields: &[&Field],
) -> TokenStream {
    let definitions = fields.iter().map(|field| {
        let (member, ty) = (&field.member, &field.ty);
        let docs = if field.docs.is_empty() {
            format!("The argument `{}`.", field.name)
        } else {
            field.docs.clone()
        };
        quote!(#[doc = #docs] pub #member: #ty)
    });
    let implementation = implement_struct(ident, name, docs, fields.iter().copied(), true);
    quote! {
        #[doc = #docs]
        #[derive(Clone, Debug)]
        #visibility struct #ident { #(#definitions),* }
        #implementation
    }
}
