//! The elements that matter here, as an enum: compared by number, not by name.

use html5ever::{LocalName, local_name};

/// An HTML element, or text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tag {
    Text,
    Other,
    A,
    Address,
    Article,
    Aside,
    Audio,
    B,
    Base,
    Blockquote,
    Body,
    Br,
    Button,
    Canvas,
    Caption,
    Center,
    Cite,
    Code,
    Dd,
    Del,
    Details,
    Dialog,
    Div,
    Dl,
    Dt,
    Em,
    Embed,
    Fieldset,
    Figcaption,
    Figure,
    Footer,
    Form,
    H1,
    H2,
    H3,
    H4,
    H5,
    H6,
    Head,
    Header,
    Hr,
    Html,
    I,
    Iframe,
    Img,
    Input,
    Label,
    Li,
    Link,
    Main,
    Meta,
    Nav,
    Noscript,
    Object,
    Ol,
    Option,
    P,
    Picture,
    Pre,
    Script,
    Section,
    Select,
    Source,
    Span,
    Strong,
    Style,
    Summary,
    Svg,
    Table,
    Tbody,
    Td,
    Template,
    Textarea,
    Tfoot,
    Th,
    Thead,
    Time,
    Title,
    Tr,
    U,
    Ul,
    Video,
}

impl Tag {
    /// The tag of an element's name.
    pub(super) fn of(name: &LocalName) -> Self {
        match *name {
            local_name!("a") => Self::A,
            local_name!("address") => Self::Address,
            local_name!("article") => Self::Article,
            local_name!("aside") => Self::Aside,
            local_name!("audio") => Self::Audio,
            local_name!("base") => Self::Base,
            local_name!("b") => Self::B,
            local_name!("blockquote") => Self::Blockquote,
            local_name!("body") => Self::Body,
            local_name!("br") => Self::Br,
            local_name!("button") => Self::Button,
            local_name!("canvas") => Self::Canvas,
            local_name!("caption") => Self::Caption,
            local_name!("center") => Self::Center,
            local_name!("cite") => Self::Cite,
            local_name!("code") | local_name!("kbd") | local_name!("samp") | local_name!("tt") => {
                Self::Code
            }
            local_name!("dd") => Self::Dd,
            local_name!("del") | local_name!("s") | local_name!("strike") => Self::Del,
            local_name!("details") => Self::Details,
            local_name!("dialog") => Self::Dialog,
            local_name!("div") => Self::Div,
            local_name!("dl") => Self::Dl,
            local_name!("dt") => Self::Dt,
            local_name!("em") => Self::Em,
            local_name!("embed") => Self::Embed,
            local_name!("fieldset") => Self::Fieldset,
            local_name!("figcaption") => Self::Figcaption,
            local_name!("figure") => Self::Figure,
            local_name!("footer") => Self::Footer,
            local_name!("form") => Self::Form,
            local_name!("h1") => Self::H1,
            local_name!("h2") => Self::H2,
            local_name!("h3") => Self::H3,
            local_name!("h4") => Self::H4,
            local_name!("h5") => Self::H5,
            local_name!("h6") => Self::H6,
            local_name!("head") => Self::Head,
            local_name!("header") => Self::Header,
            local_name!("hr") => Self::Hr,
            local_name!("html") => Self::Html,
            local_name!("i") => Self::I,
            local_name!("iframe") => Self::Iframe,
            local_name!("img") => Self::Img,
            local_name!("input") => Self::Input,
            local_name!("label") => Self::Label,
            local_name!("li") => Self::Li,
            local_name!("link") => Self::Link,
            local_name!("main") => Self::Main,
            local_name!("meta") => Self::Meta,
            local_name!("nav") => Self::Nav,
            local_name!("noscript") => Self::Noscript,
            local_name!("object") => Self::Object,
            local_name!("ol") => Self::Ol,
            local_name!("option") => Self::Option,
            local_name!("p") => Self::P,
            local_name!("picture") => Self::Picture,
            local_name!("pre") => Self::Pre,
            local_name!("script") => Self::Script,
            local_name!("section") => Self::Section,
            local_name!("select") | local_name!("datalist") => Self::Select,
            local_name!("source") => Self::Source,
            local_name!("span") | local_name!("font") => Self::Span,
            local_name!("strong") => Self::Strong,
            local_name!("style") => Self::Style,
            local_name!("summary") => Self::Summary,
            local_name!("svg") | local_name!("math") => Self::Svg,
            local_name!("table") => Self::Table,
            local_name!("tbody") => Self::Tbody,
            local_name!("td") => Self::Td,
            local_name!("template") => Self::Template,
            local_name!("textarea") => Self::Textarea,
            local_name!("tfoot") => Self::Tfoot,
            local_name!("th") => Self::Th,
            local_name!("thead") => Self::Thead,
            local_name!("time") => Self::Time,
            local_name!("title") => Self::Title,
            local_name!("tr") => Self::Tr,
            local_name!("u") => Self::U,
            local_name!("ul") | local_name!("menu") => Self::Ul,
            local_name!("video") => Self::Video,
            _ => Self::with_unusual_name(name),
        }
    }

    /// Elements that the HTML standard does not know by name.
    fn with_unusual_name(name: &str) -> Self {
        match name {
            "amp-img" => Self::Figure,
            "amp-iframe" => Self::Iframe,
            _ => Self::Other,
        }
    }

    /// Starts and ends a line of its own (WHATWG HTML, "Rendering": display block and table parts).
    pub(super) fn is_block(self) -> bool {
        use Tag as T;
        matches!(
            self,
            T::Address
                | T::Article
                | T::Aside
                | T::Blockquote
                | T::Body
                | T::Caption
                | T::Center
                | T::Dd
                | T::Details
                | T::Dialog
                | T::Div
                | T::Dl
                | T::Dt
                | T::Fieldset
                | T::Figcaption
                | T::Figure
                | T::Footer
                | T::Form
                | T::H1
                | T::H2
                | T::H3
                | T::H4
                | T::H5
                | T::H6
                | T::Header
                | T::Hr
                | T::Html
                | T::Li
                | T::Main
                | T::Nav
                | T::Ol
                | T::P
                | T::Pre
                | T::Section
                | T::Summary
                | T::Table
                | T::Tbody
                | T::Td
                | T::Tfoot
                | T::Th
                | T::Thead
                | T::Tr
                | T::Ul
        )
    }

    /// A heading of any level.
    pub(super) fn is_heading(self) -> bool {
        (Self::H1..=Self::H6).contains(&self)
    }

    /// Never shown as text of the page.
    pub(super) fn is_unseen(self) -> bool {
        use Tag as T;
        matches!(
            self,
            T::Script
                | T::Style
                | T::Noscript
                | T::Template
                | T::Svg
                | T::Select
                | T::Textarea
                | T::Object
                | T::Canvas
                | T::Head
                | T::Iframe
                | T::Audio
                | T::Video
                | T::Option
        )
    }
}
