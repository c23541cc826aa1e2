//! The code of a contract.
//!
//! *Responsible for*: trait, marker, messages, proxy, dispatch, description. *Not responsible for*: whether they make
//! sense together; that was checked.
//!
//! Invariants:
//! - I1: types that the game wrote are named in the scope where it wrote them: messages stand beside the trait under
//!   long names, and the contract's module shows them under short ones, where `Steer` the message cannot be mistaken
//!   for `Steer` the argument.

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Ident, Visibility};

use super::Contract;
use super::operation::{Form, Operation, Word};
use crate::{data, names};

/// All code of a contract.
pub(super) fn emit(contract: &Contract) -> TokenStream {
    let the_trait = emit_trait(contract);
    let marker = emit_marker(contract);
    let description = emit_description(contract);
    let messages = contract.operations.iter().map(|operation| emit_message(contract, operation));
    let module = emit_module(contract);
    let proxy = emit_proxy(contract);
    let dispatch = if contract.ticking { emit_serve_world(contract) } else { emit_serve(contract) };
    let tracking = &contract.tracking;
    quote!(#the_trait #marker #description #(#messages)* #module #proxy #dispatch #tracking)
}

fn served(contract: &Contract) -> impl Iterator<Item = &Operation> {
    contract.operations.iter().filter(|operation| operation.form() != Form::Push)
}

fn emit_trait(contract: &Contract) -> TokenStream {
    let Contract { visibility, ident, docs, .. } = contract;
    let methods = served(contract).map(|operation| {
        let Operation { ident, docs, .. } = operation;
        let arguments = operation.arguments.iter().map(|argument| {
            let (ident, ty) = (&argument.ident, &argument.ty);
            quote!(#ident: #ty)
        });
        let host = if contract.ticking { quote!(world: &mut World) } else { quote!(&mut self) };
        let output = match (&operation.reply, operation.is_async) {
            (Some(ty), false) => quote!(-> #ty),
            (None, false) => quote!(),
            (Some(ty), true) => quote!(-> impl ::core::future::Future<Output = #ty>),
            (None, true) => quote!(-> impl ::core::future::Future<Output = ()>),
        };
        quote!(#[doc = #docs] fn #ident(#host, cx: &mut Cx, #(#arguments),*) #output;)
    });
    let parameters = if contract.ticking { quote!(Cx, World) } else { quote!(Cx) };
    quote! {
        #[doc = #docs]
        #visibility trait #ident<#parameters> {
            #(#methods)*
        }
    }
}

fn emit_marker(contract: &Contract) -> TokenStream {
    let Contract { visibility, ident, name, ticking, .. } = contract;
    let marker = names::marker(ident);
    let proxy = format_ident!("{}Proxy", ident, span = ident.span());
    let docs = format!("The contract [`{ident}`] as a type: what references and registrations name.");
    let kind = contract.kind.map_or_else(
        || quote!(<#marker as ::lightmoon_contract::descriptor::Provisional>::NUMBER),
        |kind| quote!(#kind),
    );
    let specs = contract.operations.iter().map(|operation| {
        let message = operation.message(ident);
        quote!(<#message as ::lightmoon_contract::Operation>::SPEC)
    });
    quote! {
        #[doc = #docs]
        #[derive(Clone, Copy, Debug)]
        #visibility struct #marker;

        #[automatically_derived]
        impl ::lightmoon_contract::Contract for #marker {
            const NAME: &'static str = #name;
            const KIND: ::lightmoon_contract::Kind = ::lightmoon_contract::Kind(#kind);
            const SPEC: ::lightmoon_contract::operation::ContractSpec = ::lightmoon_contract::operation::ContractSpec {
                name: #name,
                kind: Self::KIND,
                ticking: #ticking,
                operations: &[#(#specs),*],
            };
            type Proxy<'l, L: ::lightmoon_contract::operation::Link + 'l> = #proxy<'l, L>;

            fn proxy<'l, L: ::lightmoon_contract::operation::Link + 'l>(
                link: &'l mut L,
                target: ::lightmoon_contract::operation::Target,
            ) -> #proxy<'l, L> {
                #proxy { link, target }
            }
        }
    }
}

fn emit_description(contract: &Contract) -> TokenStream {
    let Contract { ident, name, docs, ticking, .. } = contract;
    let marker = names::marker(ident);
    let provisional = contract.kind.is_none();
    let operations = contract.operations.iter().map(|operation| {
        let (message, docs, provisional) =
            (operation.message(ident), &operation.docs, operation.number.provisional);
        let fields: Vec<_> = operation.arguments.iter().map(|argument| &argument.field).collect();
        let arguments = data::entries(fields);
        quote! {
            ::lightmoon_contract::descriptor::OperationEntry::of::<#message>(
                #docs,
                #provisional,
                |table| { let _ = &table; #arguments },
                table,
            )
        }
    });
    quote! {
        #[automatically_derived]
        impl ::lightmoon_contract::descriptor::DescribeContract for #marker {
            fn describe_contract(
                table: &mut ::lightmoon_contract::descriptor::TypeTable,
            ) -> ::lightmoon_contract::descriptor::ContractEntry {
                let _ = &table;
                ::lightmoon_contract::descriptor::ContractEntry {
                    name: ::std::string::String::from(#name),
                    docs: ::std::string::String::from(#docs),
                    kind: <Self as ::lightmoon_contract::Contract>::KIND,
                    provisional: #provisional,
                    ticking: #ticking,
                    operations: ::std::vec![#(#operations),*],
                }
            }
        }
    }
}

fn emit_message(contract: &Contract, operation: &Operation) -> TokenStream {
    let marker = names::marker(&contract.ident);
    let message = operation.message(&contract.ident);
    let name = format!("{}.{}", contract.name, operation.name);
    let docs = format!("Message of `{name}`: {}", operation.docs);
    let fields: Vec<_> = operation.arguments.iter().map(|argument| &argument.field).collect();
    let definition =
        data::message(&message, &contract.visibility, &name, docs.trim_end_matches([':', ' ']), &fields);
    let reply = operation.reply.as_ref().map_or_else(|| quote!(()), |ty| quote!(#ty));
    let reply = quote_spanned!(reply.span()=> type Reply = #reply;);
    let spec = emit_spec(operation);
    quote! {
        #[doc(hidden)]
        #definition

        #[automatically_derived]
        impl ::lightmoon_contract::Operation for #message {
            type Contract = #marker;
            #reply
            const SPEC: ::lightmoon_contract::OperationSpec = #spec;
        }
    }
}

fn emit_spec(operation: &Operation) -> TokenStream {
    let options = &operation.options;
    let name = &operation.name;
    let number = Literal::u32_unsuffixed(operation.number.value);
    let form = match operation.form() {
        Form::OneWay => quote!(OneWay),
        Form::Request => quote!(Request),
        Form::Push => quote!(Push),
    };
    let priority = camel_ident(options.choice(Word::Priority, "normal"));
    let reliability = camel_ident(options.choice(Word::Reliability, "reliable_ordered"));
    let aim = options.get(Word::Client).map_or_else(
        || quote!(::core::option::Option::None),
        |value| {
            let aim = camel_ident(&value.text);
            quote!(::core::option::Option::Some(::lightmoon_contract::operation::Aim::#aim))
        },
    );
    let rate = options.number(Word::Rate, 30);
    let burst = options.number(Word::Burst, rate);
    let timeout_ms = operation.timeout_ms();
    let durability = camel_ident(operation.durability());
    let max_loss_ms = operation.max_loss_ms();
    let (logged, waits, exactly_once) =
        (options.has(Word::Log), operation.is_async, operation.is_exactly_once());
    let every_ms = options.get(Word::EveryMs).map_or_else(
        || quote!(::core::option::Option::None),
        |value| {
            let every = value.number;
            quote!(::core::option::Option::Some(#every))
        },
    );
    quote! {
        ::lightmoon_contract::OperationSpec {
            name: #name,
            number: ::lightmoon_contract::OperationNumber(#number),
            form: ::lightmoon_contract::operation::CallForm::#form,
            lane: ::lightmoon_contract::Lane::new(
                ::lightmoon_contract::Priority::#priority,
                ::lightmoon_contract::Reliability::#reliability,
            ),
            aim: #aim,
            rate: ::lightmoon_contract::operation::Rate { per_second: #rate, burst: #burst },
            timeout_ms: #timeout_ms,
            every_ms: #every_ms,
            durability: ::lightmoon_contract::operation::Durability::#durability,
            max_loss_ms: #max_loss_ms,
            logged: #logged,
            waits: #waits,
            exactly_once: #exactly_once,
        }
    }
}

fn camel_ident(word: &str) -> Ident {
    Ident::new(&names::camel(word), proc_macro2::Span::call_site())
}

fn emit_module(contract: &Contract) -> TokenStream {
    let Contract { visibility, ident, name, .. } = contract;
    let module = Ident::new(&names::snake(name), ident.span());
    let docs = format!("Messages of [`{ident}`](super::{ident}): one for each operation.");
    let inside = one_level_deeper(visibility);
    let uses = contract.operations.iter().map(|operation| {
        let (message, short) = (operation.message(ident), operation.short());
        quote!(#[doc(inline)] #inside use super::#message as #short;)
    });
    quote! {
        #[doc = #docs]
        #visibility mod #module {
            #(#uses)*
        }
    }
}

/// The visibility that, one module deeper, reaches as far as `visibility` does here.
fn one_level_deeper(visibility: &Visibility) -> TokenStream {
    match visibility {
        Visibility::Public(_) => quote!(pub),
        Visibility::Inherited => quote!(pub(super)),
        Visibility::Restricted(restricted) => {
            let path = &restricted.path;
            if path.is_ident("self") {
                quote!(pub(super))
            } else if path.segments.first().is_some_and(|segment| segment.ident == "crate") {
                quote!(#visibility)
            } else {
                quote!(pub(in super::#path))
            }
        }
    }
}

fn emit_proxy(contract: &Contract) -> TokenStream {
    let Contract { visibility, ident, .. } = contract;
    let proxy = format_ident!("{}Proxy", ident, span = ident.span());
    let docs = format!("The caller's side of [`{ident}`]: one method for each operation.");
    let methods = served(contract).map(|operation| {
        let Operation { ident: method, docs, .. } = operation;
        let message = operation.message(ident);
        let names: Vec<_> = operation.arguments.iter().map(|argument| &argument.ident).collect();
        let types = operation.arguments.iter().map(|argument| &argument.ty);
        let (send, output) = match operation.form() {
            Form::Request => (quote!(ask), quote!(L::Asked<#message>)),
            Form::OneWay | Form::Push => (quote!(tell), quote!(L::Told)),
        };
        quote! {
            #[doc = #docs]
            pub fn #method(&mut self, #(#names: #types),*) -> #output {
                self.link.#send(self.target, #message { #(#names),* })
            }
        }
    });
    quote! {
        #[doc = #docs]
        #visibility struct #proxy<'l, L> {
            link: &'l mut L,
            target: ::lightmoon_contract::operation::Target,
        }

        impl<L: ::lightmoon_contract::operation::Link> #proxy<'_, L> {
            #(#methods)*
        }

        #[automatically_derived]
        impl<L> ::core::fmt::Debug for #proxy<'_, L> {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                let _ = &self.link;
                f.debug_struct(::core::stringify!(#proxy)).field("target", &self.target).finish_non_exhaustive()
            }
        }
    }
}

fn values(operation: &Operation) -> TokenStream {
    let names = operation.arguments.iter().map(|argument| &argument.ident);
    quote!(#(message.#names),*)
}

fn emit_serve(contract: &Contract) -> TokenStream {
    let ident = &contract.ident;
    let marker = names::marker(ident);
    let arms = served(contract).map(|operation| {
        let (message, method, values) = (operation.message(ident), &operation.ident, values(operation));
        let number = Literal::u32_unsuffixed(operation.number.value);
        let run = if operation.is_async {
            quote! {{
                let mut cx = ::core::clone::Clone::clone(cx);
                ::lightmoon_contract::call::Served::Waits(::std::boxed::Box::pin(async move {
                    let reply = <A as #ident<Cx>>::#method(&mut *actor, &mut cx, #values).await;
                    (actor.into_inner(), ::core::result::Result::Ok(form.pack(reply)))
                }))
            }}
        } else {
            quote! {{
                let reply = <A as #ident<Cx>>::#method(&mut *actor, cx, #values);
                ::lightmoon_contract::call::Served::Done(
                    actor.into_inner(),
                    ::core::result::Result::Ok(form.pack(reply)),
                )
            }}
        };
        quote! {
            #number => match body.open::<#message>(::lightmoon_contract::Limits::CLIENT) {
                ::core::result::Result::Ok(message) => { let _ = &message; #run }
                ::core::result::Result::Err(error) => {
                    ::lightmoon_contract::call::Served::Done(
                        actor.into_inner(),
                        ::core::result::Result::Err(error),
                    )
                }
            },
        }
    });
    quote! {
        #[automatically_derived]
        impl<A, Cx> ::lightmoon_contract::call::Serve<A, Cx> for #marker
        where
            A: #ident<Cx> + 'static,
            Cx: ::core::clone::Clone + 'static,
        {
            fn serve(
                actor: ::std::boxed::Box<A>,
                cx: &mut Cx,
                number: ::lightmoon_contract::OperationNumber,
                body: ::lightmoon_contract::Body,
                form: ::lightmoon_contract::Form,
            ) -> ::lightmoon_contract::call::Served<::std::boxed::Box<A>> {
                let mut actor = ::lightmoon_contract::call::Shielded::new(actor);
                let _ = (&mut actor, &cx, &body, form);
                match number.0 {
                    #(#arms)*
                    _ => ::lightmoon_contract::call::Served::Done(
                        actor.into_inner(),
                        ::core::result::Result::Err(::lightmoon_contract::CallError::NoSuchOperation(number)),
                    ),
                }
            }
        }
    }
}

fn emit_serve_world(contract: &Contract) -> TokenStream {
    let ident = &contract.ident;
    let marker = names::marker(ident);
    let arms = served(contract).map(|operation| {
        let (message, method, values) = (operation.message(ident), &operation.ident, values(operation));
        let number = Literal::u32_unsuffixed(operation.number.value);
        quote! {
            #number => {
                let message = body.open::<#message>(::lightmoon_contract::Limits::CLIENT)?;
                let _ = &message;
                let reply = <Z as #ident<Cx, World>>::#method(world, cx, #values);
                ::core::result::Result::Ok(form.pack(reply))
            }
        }
    });
    quote! {
        #[automatically_derived]
        impl<Z, Cx, World> ::lightmoon_contract::call::ServeWorld<Z, Cx, World> for #marker
        where
            Z: #ident<Cx, World>,
        {
            fn serve_world(
                world: &mut World,
                cx: &mut Cx,
                number: ::lightmoon_contract::OperationNumber,
                body: ::lightmoon_contract::Body,
                form: ::lightmoon_contract::Form,
            ) -> ::core::result::Result<::lightmoon_contract::call::Answer, ::lightmoon_contract::CallError> {
                let _ = (&world, &cx, &body, form);
                match number.0 {
                    #(#arms)*
                    _ => ::core::result::Result::Err(::lightmoon_contract::CallError::NoSuchOperation(number)),
                }
            }
        }
    }
}
