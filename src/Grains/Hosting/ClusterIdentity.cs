using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Herd.Grains.Hosting;

/// <summary>
/// What processes of a cluster know each other by, on every connection between them: a certificate whose key is derived from the
/// cluster's secret. Both ends of a connection show it, so whoever does not know the secret can neither join nor call nor listen
/// in (docs/decisions/cluster-identity.md).
/// </summary>
internal sealed class ClusterIdentity : IDisposable
{
    public const string Name = "herd-cluster";

    private readonly byte[] _publicKey;

    public ClusterIdentity(ClusterKey key)
    {
        using var pair = KeyPair(key);
        _publicKey = pair.ExportSubjectPublicKeyInfo();
        var request = new CertificateRequest($"CN={Name}", pair, HashAlgorithmName.SHA256);

        // Its validity says nothing: who knows the secret makes one at any time. Clocks need not agree.
        using var made = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, new DateTimeOffset(9999, 1, 1, 0, 0, 0, TimeSpan.Zero));
        Certificate = X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
    }

    public X509Certificate2 Certificate { get; }

    /// <summary>Whether a certificate is the cluster's. That its holder has the key, the handshake proves.</summary>
    public bool IsOurs(X509Certificate? certificate) =>
        certificate is X509Certificate2 { PublicKey: var shown } && shown.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(_publicKey);

    /// <summary>For connections to others.</summary>
    public SslClientAuthenticationOptions ForClients() => new()
    {
        TargetHost = Name,
        ClientCertificates = [Certificate],
        RemoteCertificateValidationCallback = (_, certificate, _, _) => IsOurs(certificate),
    };

    /// <summary>For connections from others.</summary>
    public HttpsConnectionAdapterOptions ForServers() => new()
    {
        ServerCertificate = Certificate,
        ClientCertificateMode = ClientCertificateMode.RequireCertificate,
        ClientCertificateValidation = (certificate, _, _) => IsOurs(certificate),
    };

    public void Dispose() => Certificate.Dispose();

    private static ECDsa KeyPair(ClusterKey key)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, D = key.Identity(attempt) });
            }
            catch (CryptographicException) when (attempt < 8)
            {
                // One number in four billion is not of the curve's group; the next will be.
            }
        }
    }
}
