namespace Herd.Gateway.Tenants;

/// <summary>A tenant. It sees only its own conversations.</summary>
/// <param name="Name">The tenant's name, a part of the keys of its conversations.</param>
/// <param name="Role">The calls for operators that the tenant may make.</param>
/// <param name="Limits">The tenant's limits.</param>
internal sealed record Tenant(string Name, TenantRole Role, TenantLimits Limits)
{
    /// <summary>The name of every caller's tenant if no keys are set.</summary>
    public const string Everybody = "default";

    /// <summary>The name of the key of this request, for the ledger; empty without one.</summary>
    public string Key { get; init; } = "";
}

/// <summary>The calls for operators that a caller may make.</summary>
internal enum TenantRole
{
    /// <summary>None.</summary>
    User,

    /// <summary>Those that only look.</summary>
    Reader,

    /// <summary>All.</summary>
    Operator,
}
