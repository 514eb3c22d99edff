namespace Herd.Gateway.Tenants;

/// <summary>A tenant. It sees only its own conversations.</summary>
/// <param name="Name">The tenant's name, a part of the keys of its conversations.</param>
/// <param name="IsOperator">True if the tenant may make the calls for operators.</param>
/// <param name="Limits">The tenant's limits.</param>
internal sealed record Tenant(string Name, bool IsOperator, TenantLimits Limits)
{
    /// <summary>The name of every caller's tenant if no keys are set.</summary>
    public const string Everybody = "default";
}
