//! The elements that matter here, as an enum: compared by number, not by name.

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
    /// The tag of a lower-case element name.
    pub(super) fn named(name: &str) -> Self {
        match name {
            "a" => Self::A,
            "address" => Self::Address,
            "article" => Self::Article,
            "aside" => Self::Aside,
            "audio" => Self::Audio,
            "base" => Self::Base,
            "b" => Self::B,
            "blockquote" => Self::Blockquote,
            "body" => Self::Body,
            "br" => Self::Br,
            "button" => Self::Button,
            "canvas" => Self::Canvas,
            "caption" => Self::Caption,
            "center" => Self::Center,
            "cite" => Self::Cite,
            "code" | "kbd" | "samp" | "tt" => Self::Code,
            "dd" => Self::Dd,
            "del" | "s" | "strike" => Self::Del,
            "details" => Self::Details,
            "dialog" => Self::Dialog,
            "div" => Self::Div,
            "dl" => Self::Dl,
            "dt" => Self::Dt,
            "em" => Self::Em,
            "embed" => Self::Embed,
            "fieldset" => Self::Fieldset,
            "figcaption" => Self::Figcaption,
            "figure" | "amp-img" => Self::Figure,
            "footer" => Self::Footer,
            "form" => Self::Form,
            "h1" => Self::H1,
            "h2" => Self::H2,
            "h3" => Self::H3,
            "h4" => Self::H4,
            "h5" => Self::H5,
            "h6" => Self::H6,
            "head" => Self::Head,
            "header" => Self::Header,
            "hr" => Self::Hr,
            "html" => Self::Html,
            "i" => Self::I,
            "iframe" | "amp-iframe" => Self::Iframe,
            "img" => Self::Img,
            "input" => Self::Input,
            "label" => Self::Label,
            "li" => Self::Li,
            "link" => Self::Link,
            "main" => Self::Main,
            "meta" => Self::Meta,
            "nav" => Self::Nav,
            "noscript" => Self::Noscript,
            "object" => Self::Object,
            "ol" => Self::Ol,
            "option" => Self::Option,
            "p" => Self::P,
            "picture" => Self::Picture,
            "pre" => Self::Pre,
            "script" => Self::Script,
            "section" => Self::Section,
            "select" | "datalist" => Self::Select,
            "source" => Self::Source,
            "span" | "font" => Self::Span,
            "strong" => Self::Strong,
            "style" => Self::Style,
            "summary" => Self::Summary,
            "svg" | "math" => Self::Svg,
            "table" => Self::Table,
            "tbody" => Self::Tbody,
            "td" => Self::Td,
            "template" => Self::Template,
            "textarea" => Self::Textarea,
            "tfoot" => Self::Tfoot,
            "th" => Self::Th,
            "thead" => Self::Thead,
            "time" => Self::Time,
            "title" => Self::Title,
            "tr" => Self::Tr,
            "u" => Self::U,
            "ul" | "menu" => Self::Ul,
            "video" => Self::Video,
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
