//! What a piece of text can mean.

macro_rules! roles {
    ($($variant:ident $name:literal $doc:literal,)+) => {
        /// What a piece of text means; named for that and not for how it looks.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Role { $(#[doc = $doc] $variant,)+ }

        impl Role {
            /// All roles, in the order of their numbers.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$variant),+];

            /// The key in a theme file.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// What it means, in a sentence.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $doc,)+ }
            }
        }
    };
}

roles! {
    Text "text" "What is there to be read.",
    TextDim "text.dim" "What is there to be passed over.",
    TextHostile "text.hostile" "What stands for a character that must not reach a terminal.",
    Border "border" "Rules and boxes.",
    BorderFocus "border.focus" "Rules and boxes of what has the keys; where one is.",
    CursorRow "cursor.row" "The row under the cursor.",
    Select "select" "What stands out of its neighbours: the chosen one, the last crumb.",
    KeyHint "key.hint" "A key that may be pressed.",
    StateOk "state.ok" "As it should be.",
    StateWarn "state.warn" "Worth a look.",
    StateError "state.error" "Failed.",
    StateInfo "state.info" "Good to know.",
    StateStale "state.stale" "Older than it should be.",
    BadgeReadonly "badge.readonly" "Mode READ-ONLY.",
    BadgeDryrun "badge.dryrun" "Mode DRY-RUN.",
    BadgeWrite "badge.write" "Mode WRITE.",
    DecApproved "dec.approved" "Approved.",
    DecSkipped "dec.skipped" "Skipped.",
    DecHeld "dec.held" "Held.",
    DecPartial "dec.partial" "Approved in part.",
    DecBlocked "dec.blocked" "Cannot be approved.",
    TagLatest "tag.latest" "The selected tag.",
    TagMatch "tag.match" "A candidate.",
    TagRange "tag.range" "Outside the range.",
    TagFilter "tag.filter" "Not matched by the pattern.",
    TagUnparsed "tag.unparsed" "No version, or no number.",
    TagCollide "tag.collide" "Cannot be told from another tag.",
    TagExclude "tag.exclude" "Excluded by the repository.",
    TagInvalid "tag.invalid" "No tag by the grammar.",
    TagSpanMatch "tag.span.match" "The part that the pattern matched.",
    TagSpanExtract "tag.span.extract" "The part that is compared.",
    DiffAdd "diff.add" "An added line.",
    DiffDel "diff.del" "A removed line.",
    DiffAddWord "diff.add.word" "What is new in an added line.",
    DiffDelWord "diff.del.word" "What was there in a removed line.",
}
