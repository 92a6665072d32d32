//! Which screens there are, and what can have the keys.

/// A screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum View {
    /// S1.
    Updates,
    /// S2.
    Repositories,
    /// S3.
    Tags,
    /// S4.
    Policies,
    /// S5: a text input.
    Playground,
    /// S6.
    Automations,
    /// The plan.
    Plan,
    /// S7.
    Diff,
    /// S8.
    Message,
    /// S9, progress and result.
    Push,
    /// S10.
    Log,
    /// S11.
    Errors,
    /// S12.
    Help,
    /// Nothing was found here.
    Start,
}

impl View {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Updates,
        Self::Repositories,
        Self::Tags,
        Self::Policies,
        Self::Playground,
        Self::Automations,
        Self::Plan,
        Self::Diff,
        Self::Message,
        Self::Push,
        Self::Log,
        Self::Errors,
        Self::Help,
        Self::Start,
    ];

    /// The word in the crumbs; S3 and S7 stand behind the name of what they show.
    pub fn title(self) -> &'static str {
        match self {
            Self::Updates => "Updates",
            Self::Repositories => "Repositories",
            Self::Tags => "tags",
            Self::Policies => "Policies",
            Self::Playground => "playground",
            Self::Automations => "Automations",
            Self::Plan => "Plan",
            Self::Diff => "diff",
            Self::Message => "commit message",
            Self::Push => "push",
            Self::Log => "Log",
            Self::Errors => "Errors",
            Self::Help => "help",
            Self::Start => "Start",
        }
    }
}

/// What has the keys. Exactly one has, so a key means one thing at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Context {
    /// The view in front.
    View(View),
    /// The filter field.
    Filter,
    /// S13: a text input.
    Palette,
    /// S14: a text input.
    Find,
    /// A menu.
    Menu,
    /// The preview over its list.
    Overlay,
    /// S9a.
    ConfirmPush,
    /// S9b: a text input.
    TypeBranch,
    /// Merge?
    ConfirmMerge,
    /// `b`.
    Target,
    /// `b`, another branch: a text input.
    TypeTarget,
    /// `H`: text inputs.
    TypeHold,
    /// What a policy that is tried changes in its file.
    Edit,
    /// Leave?
    ConfirmQuit,
    /// To WRITE?
    ConfirmMode,
    /// An order to the controllers?
    ConfirmOrder,
    /// Decisions of an earlier run: resume?
    ConfirmResume,
    /// S15.
    TooSmall,
}

impl Context {
    /// What can have the keys instead of a view.
    pub const OVER: [Self; 17] = [
        Self::Filter,
        Self::Palette,
        Self::Find,
        Self::Menu,
        Self::Overlay,
        Self::ConfirmPush,
        Self::TypeBranch,
        Self::ConfirmMerge,
        Self::Target,
        Self::TypeTarget,
        Self::TypeHold,
        Self::Edit,
        Self::ConfirmQuit,
        Self::ConfirmMode,
        Self::ConfirmOrder,
        Self::ConfirmResume,
        Self::TooSmall,
    ];

    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        View::ALL.into_iter().map(Self::View).chain(Self::OVER)
    }

    /// A bit of its own in a set of contexts.
    pub const fn bit(self) -> u32 {
        match self {
            Self::View(view) => 1 << view as u32,
            Self::Edit => 1 << 15,
            Self::Filter => 1 << 16,
            Self::Palette => 1 << 17,
            Self::Find => 1 << 31,
            Self::Menu => 1 << 18,
            Self::Overlay => 1 << 19,
            Self::ConfirmPush => 1 << 20,
            Self::TypeBranch => 1 << 21,
            Self::ConfirmQuit => 1 << 22,
            Self::ConfirmMode => 1 << 23,
            Self::TooSmall => 1 << 24,
            Self::ConfirmResume => 1 << 25,
            Self::TypeHold => 1 << 26,
            Self::ConfirmOrder => 1 << 27,
            Self::Target => 1 << 28,
            Self::TypeTarget => 1 << 29,
            Self::ConfirmMerge => 1 << 30,
        }
    }

    /// Whether something is asked there, which only its own keys answer.
    pub fn asks(self) -> bool {
        matches!(
            self,
            Self::ConfirmPush
                | Self::TypeBranch
                | Self::ConfirmMerge
                | Self::ConfirmQuit
                | Self::ConfirmMode
                | Self::ConfirmOrder
                | Self::ConfirmResume
                | Self::TypeHold
                | Self::TypeTarget
        )
    }

    /// Whether keys type text there.
    pub fn is_input(self) -> bool {
        let in_view = matches!(self, Self::View(View::Message | View::Help | View::Playground));
        let is_field = matches!(
            self,
            Self::Filter | Self::Palette | Self::Find | Self::TypeBranch | Self::TypeTarget | Self::TypeHold
        );
        in_view || is_field
    }
}

/// Which of two panes has the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Focus {
    /// The list, or S7's tree.
    #[default]
    List,
    /// The other pane.
    Other,
}
