using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Herd.Grains.Hosting.Configuration;

/// <summary>Registers options that are checked at start, and services that run with the process.</summary>
public static class OptionsSetup
{
    /// <summary>Registers options that are read from a section and checked at start.</summary>
    public static IServiceCollection AddValidated<TOptions, TValidator>(
        this IServiceCollection services, string section)
        where TOptions : class
        where TValidator : class, IValidateOptions<TOptions>
    {
        services.AddOptions<TOptions>().BindConfiguration(section).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<TOptions>, TValidator>());
        return services;
    }

    /// <summary>Registers a service that is used by others and runs with the process.</summary>
    public static IServiceCollection AddHosted<TService>(this IServiceCollection services)
        where TService : class, IHostedService =>
        services.AddSingleton<TService>().AddHostedService(provider => provider.GetRequiredService<TService>());

    /// <summary>The same, for a service that a factory makes.</summary>
    public static IServiceCollection AddHosted<TService>(
        this IServiceCollection services, Func<IServiceProvider, TService> factory)
        where TService : class, IHostedService =>
        services.AddSingleton(factory).AddHostedService(provider => provider.GetRequiredService<TService>());
}
